"""Pages in a browser on this machine: time to the first paint, and how much script each transfers.

``python -m benchmarks.pages``: a server with a mesh in a child process; pages are opened several times, each
time with an empty cache.
"""

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks import report
from benchmarks.graph_page import CHROMIUM, SIZE
from benchmarks.serving import Server

ROUNDS = 5
GOAL_MS, GOAL_BYTES = 500, 400_000
PAGES = (
    "overview",
    "graph",
    "search",
    "logs",
    "metrics",
    "alerts",
    "services",
    "services/default/reviews",
    "configuration",
    "configuration/wizards/traffic-shifting",
    "mesh",
    "sql",
    "traces/compare",
)
SETTINGS = {"VIGLA_MESH__ENABLED": "true"}
_PAINTED = """() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return paint ? paint.startTime : null;
}"""


def opened(browser: Browser, address: str) -> tuple[float, int]:
    """Milliseconds to the first contentful paint, and bytes of script as transferred."""
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    page = context.new_page()
    session = context.new_cdp_session(page)
    scripts: set[str] = set()
    sizes: dict[str, int] = {}
    session.send("Network.enable")

    def received(event: dict[str, Any]) -> None:
        if event["type"] == "Script":
            scripts.add(event["requestId"])

    def finished(event: dict[str, Any]) -> None:
        sizes[event["requestId"]] = int(event["encodedDataLength"])

    session.on("Network.responseReceived", received)
    session.on("Network.loadingFinished", finished)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    painted = page.evaluate(_PAINTED)
    context.close()
    return float(painted), sum(sizes[request] for request in scripts if request in sizes)


def main() -> None:
    """Measure and print."""
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "lake", SETTINGS) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        for path in PAGES:
            found = [opened(browser, f"{server.query_url}/{path}") for _ in range(ROUNDS)]
            rows.append(_row(path, [ms for ms, _ in found], found[0][1]))
        browser.close()
    header = ["page", "first paint, p50", "slowest", "script", f"< {GOAL_MS} ms, < {GOAL_BYTES // 1000} kB"]
    report.publish("pages", "Pages on loopback", report.table(header, rows))


def _row(path: str, paints: list[float], script: int) -> list[str]:
    reached = median(paints) < GOAL_MS and script < GOAL_BYTES
    return [
        path,
        f"{median(paints):.0f} ms",
        f"{max(paints):.0f} ms",
        f"{script / 1000:.0f} kB",
        report.verdict(reached=reached),
    ]


if __name__ == "__main__":
    main()
