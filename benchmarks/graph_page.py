"""The graph page in a browser: time to the first frame, and frames a second while it is moved."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
SIZE = {"width": 1280, "height": 800}
MOVES = 120
WAIT_MS = 60_000

# The first frame comes after the drawing is there: two callbacks, since the first runs before it is painted.
_FIRST_FRAME = """() => new Promise((done) => {
  const look = () => {
    const drawn = document.querySelector(".graph-bitmap, .graph-canvas [data-node]");
    if (!drawn) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const all = performance.getEntriesByType("resource");
      const answer = all.findLast((each) => each.name.includes("/api/vigla/v1/graph"));
      done({ frame: performance.now(), answer: answer.responseEnd });
    }));
  };
  look();
})"""
_COUNT = """() => {
  window.frames_seen = [];
  const step = (at) => { window.frames_seen.push(at); window.counting = requestAnimationFrame(step); };
  window.counting = requestAnimationFrame(step);
}"""
_COUNTED = "() => { cancelAnimationFrame(window.counting); return window.frames_seen; }"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was measured.

    Attributes:
        first_frame_s: from the API's answer to the first frame: reading, layout, drawing.
        pan, zoom: frames a second while the pointer moves.
    """

    first_frame_s: float
    pan: float
    zoom: float


def measure(address: str) -> Drawn:
    """Open the page and move it.

    Args:
        address: of the graph page, with the time range.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_context(viewport=SIZE, device_scale_factor=1).new_page()  # type: ignore[arg-type]
        page.goto(address)
        page.set_default_timeout(WAIT_MS)
        found: dict[str, Any] = page.evaluate(_FIRST_FRAME)
        page.wait_for_load_state("networkidle")
        drawn = Drawn((found["frame"] - found["answer"]) / 1000, _rate(page, _pan), _rate(page, _zoom))
        browser.close()
    return drawn


def _rate(page: Page, act: Any) -> float:
    """Frames a second while something is done."""
    page.evaluate(_COUNT)
    act(page)
    times: list[float] = page.evaluate(_COUNTED)
    return (len(times) - 1) / (times[-1] - times[0]) * 1000


def _pan(page: Page) -> None:
    page.mouse.move(700, 450)
    page.mouse.down()
    for step in range(MOVES):
        page.mouse.move(700 + step % 60 * 4, 450 + step % 40 * 3)
    page.mouse.up()


def _zoom(page: Page) -> None:
    page.mouse.move(700, 450)
    for step in range(MOVES):
        page.mouse.wheel(0, -60 if step < MOVES / 2 else 60)
