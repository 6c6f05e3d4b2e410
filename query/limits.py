"""Bounds of every query: how many at once, how long, how many rows; ended when its client goes away."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from fastapi import Request

from vigla.errors import Overloaded, QueryStopped
from vigla.settings import QuerySettings
from vigla.storage.api import QueryContext, Stop
from vigla.telemetry.metrics import Metrics

T = TypeVar("T")

DISCONNECT_CHECK_S = 0.1
RETRY_AFTER_S = 1.0


class Limits:
    """Runs blocking queries in threads, within their bounds.

    Args:
        settings: the bounds.
        metrics: counts duration and how queries were stopped.
    """

    def __init__(self, settings: QuerySettings, metrics: Metrics) -> None:
        self.settings = settings
        self._metrics = metrics
        self._places = asyncio.Semaphore(settings.max_concurrent)
        self._threads = ThreadPoolExecutor(settings.max_concurrent, thread_name_prefix="query")

    async def run(
        self,
        request: Request,
        work: Callable[[QueryContext], T],
        *,
        timeout_s: float,
        max_rows: int,
        waits: bool = False,
    ) -> T:
        """Run blocking work in a thread.

        Args:
            request: whose client is watched.
            work: gets the bounds that it passes to the storage.
            timeout_s: seconds.
            max_rows: rows one statement may answer with.
            waits: where as many queries as allowed run already, wait for a place until the timeout.

        Raises:
            Overloaded: as many queries as allowed run already, and still do at the timeout.
            QueryStopped: past the deadline, or the client went away.
        """
        await self._enter(timeout_s if waits else 0.0)
        began = time.perf_counter()
        try:
            return await self._watched(request, work, timeout_s, max_rows)
        except QueryStopped as error:
            self._metrics.add("vigla_query_stopped_total", reason=type(error).__name__)
            raise
        finally:
            self._places.release()
            route = request.scope.get("route")
            endpoint = route.path if route is not None else request.url.path
            self._metrics.observe("vigla_query_seconds", time.perf_counter() - began, endpoint=endpoint)

    async def read(self, request: Request, work: Callable[[QueryContext], T]) -> T:
        """Run with the bounds of the settings."""
        settings = self.settings
        return await self.run(request, work, timeout_s=settings.timeout_s, max_rows=MAX_ROWS)

    async def _enter(self, within_s: float) -> None:
        """Take a place, at once or within a time."""
        most = self.settings.max_concurrent
        if self._places.locked() and not within_s:
            raise Overloaded(f"{most} queries are running: retry later", RETRY_AFTER_S)
        try:
            async with asyncio.timeout(within_s or None):
                await self._places.acquire()
        except TimeoutError as error:
            raise Overloaded(f"query timed out in query queue: {most} are running", RETRY_AFTER_S) from error

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _watched(
        self, request: Request, work: Callable[[QueryContext], T], timeout_s: float, max_rows: int
    ) -> T:
        loop = asyncio.get_running_loop()
        stop = Stop()
        timer = loop.call_later(timeout_s, stop.stop, "deadline")
        running = loop.run_in_executor(self._threads, work, QueryContext(stop, max_rows))
        try:
            while not (await asyncio.wait({running}, timeout=DISCONNECT_CHECK_S))[0]:
                if await request.is_disconnected():
                    stop.stop("cancelled")
            return running.result()
        finally:
            stop.stop("cancelled")  # when this coroutine is cancelled the thread must not run on
            timer.cancel()


MAX_ROWS = 1_000_000  # a trace of a million spans is some 500 MB of JSON; more is a mistake
