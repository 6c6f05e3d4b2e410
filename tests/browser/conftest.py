"""A real server with known traces, and a browser that reports what goes wrong inside it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from ingester.derive import summaries
from ingester.series import SeriesLog
from query.prometheus.rules import NoRules, RuleStates
from query.server import Parts, QueryServer, create_app
from tests.browser.logs import decided
from tests.browser.spans import bookinfo, hostile, large, single
from tests.contracts.rows import upto
from ui.server import router
from vigla.clock import SystemClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import QuerySettings
from vigla.storage.memory import MemoryStore
from vigla.telemetry.metrics import Metrics
from vigla.wire.otlp.spans import SpanDecoder
from vigla.wire.remote_write.decode import RemoteWriteDecoder

CHROMIUM = Path("/usr/bin/chromium")
DESKTOP = (1280, 800)
PHONE = (390, 844)

NORMAL, FAILED, LARGE, HOSTILE, SINGLE = (digit * 32 for digit in "abcde")
MORE = tuple(f"{number:032x}" for number in range(1, 11))


def known_traces() -> list[bytes]:
    """A failed and a normal trace of the last minute, special ones, and ten more over half an hour."""
    now = time.time_ns()
    second = 1_000_000_000
    return [
        bookinfo(NORMAL, now - 20 * second),
        bookinfo(FAILED, now - 30 * second, scale=3, failed=True),
        large(LARGE, now - 40 * second, 10_000),
        hostile(HOSTILE, now - 50 * second),
        single(SINGLE, now - 60 * second),
        *(bookinfo(name, now - (3 + i * 3) * 60 * second, scale=0.5 + i / 10) for i, name in enumerate(MORE)),
    ]


@contextmanager
def serving(
    payloads: Sequence[bytes],
    base_path: str = "",
    logs: pa.Table | None = None,
    metrics: Sequence[bytes] = (),
    rules: RuleStates | None = None,
) -> Iterator[str]:
    """Address of a server that holds these OTLP payloads, and maybe access logs, remote writes and rules."""
    settings = QuerySettings(http_port=0, base_path=base_path)
    store = MemoryStore(DEFAULT_PROMOTED)
    if payloads:
        spans = SpanDecoder(DEFAULT_PROMOTED).decode(payloads)
        store.buffer({"spans": spans, "traces": summaries(spans)}, upto(store, traces=1))
    if logs is not None:
        store.buffer({"access_logs": logs}, upto(store, access_logs=1))
    if metrics:
        decoded = RemoteWriteDecoder().decode(metrics)
        store.buffer(SeriesLog(SystemClock()).tables(decoded, 1), upto(store, remote_write=1))
    parts = Parts([router(settings)], rules or NoRules())
    app = create_app(store, DEFAULT_PROMOTED, settings, Metrics(), SystemClock(), parts)
    server = QueryServer(app, settings)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(20)
        yield f"http://127.0.0.1:{server.port}{base_path}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        store.close()


@pytest.fixture(scope="module")  # pages show the last minutes: traces of an hour ago would be no longer there
def server() -> Iterator[str]:
    """Address of a server with the known traces."""
    logs = decided(FAILED, time.time_ns() - 30 * 1_000_000_000)
    with serving(known_traces(), logs=logs) as address:
        yield address


@pytest.fixture(scope="session")
def empty_server() -> Iterator[str]:
    """Address of a server without a single span."""
    with serving(()) as address:
        yield address


@pytest.fixture(scope="module")  # while it is open its event loop runs, and asynchronous tests would fail
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens an address in a window of its own; the test fails if anything complains in there.

    Pages complain by console errors (violations of the Content-Security-Policy among them) and exceptions.
    A failed request is expected where the test makes one fail: ``expect_failures=True``.
    """
    contexts = []
    complaints: list[str] = []

    def open_at(
        address: str,
        size: tuple[int, int] = DESKTOP,
        theme: str = "light",
        *,
        before: Callable[[Page], None] | None = None,
        expect_failures: bool = False,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,  # type: ignore[arg-type]
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()

        def hear(message: ConsoleMessage) -> None:
            failed = expect_failures and message.text.startswith("Failed to load resource")
            if message.type in ("error", "warning") and not failed:
                complaints.append(f"{page.url}: {message.text}")

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        if before:
            before(page)
        page.goto(address)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert complaints == []
