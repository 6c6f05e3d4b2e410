"""Health as a metric: ``vigla_health_status``, written like any sample, so that PromQL has its history."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Final

from query.promql.series import SeriesSource
from query.topology.configuration import Configuration
from query.topology.health_history import History, Span, histories
from query.topology.status import Status
from query.topology.tolerances import Tolerances
from vigla.clock import Clock
from vigla.errors import ViglaError
from vigla.settings import HealthSettings
from vigla.storage.api import Stop
from vigla.wire.remote_write.encode import Point, encode

METRIC: Final = "vigla_health_status"
VALUES: Final = {Status.HEALTHY: 0.0, Status.DEGRADED: 2.0, Status.FAILURE: 3.0}
"""As in ``kiali_health_status``, of which 1, not ready, needs pods. Without requests there is no sample."""
WINDOW_S, DEADLINE_S, MS_PER_S, NS_PER_S = 300, 30.0, 1000, 1_000_000_000

log = logging.getLogger(__name__)
Write = Callable[[bytes], Awaitable[None]]
"""Makes a compressed remote write request durable."""


class HealthRecorder:
    """Judges everything once in a while. Started and stopped from one event loop.

    Args:
        series: the metrics.
        settings: tolerances and the interval.
        configuration: whose annotations have tolerances of their own.
        write: where samples go.
        clock: source of time.
    """

    def __init__(
        self,
        series: SeriesSource,
        settings: HealthSettings,
        configuration: Configuration,
        write: Write,
        clock: Clock,
    ) -> None:
        self._series = series
        self._configuration = configuration
        self._settings = settings
        self._write = write
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, if an interval is set."""
        if self._settings.record_interval_s:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what is being judged is given up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def record(self) -> int:
        """Judge now and write; returns how many samples.

        Raises:
            ViglaError: the metrics cannot be read, or the samples are refused.
        """
        at = self._clock.now_ns() // NS_PER_S
        points = await asyncio.to_thread(self._points, at)
        if points:
            await self._write(encode(points))
        return len(points)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._settings.record_interval_s)
            try:
                await self.record()
            except ViglaError as error:
                log.warning("health is not recorded", extra={"error": str(error)})

    def _points(self, at: int) -> list[Point]:
        stop = Stop()
        timer = threading.Timer(DEADLINE_S, stop.stop, ("deadline",))
        timer.daemon = True
        timer.start()
        try:
            tolerances = Tolerances(self._settings, self._configuration.health_annotations(at))
            found = histories(self._series, tolerances, Span(at, at, 1, WINDOW_S), stop=stop)
        finally:
            timer.cancel()
        return [_point(each, at) for each in found if each.statuses[-1] != Status.NA]


def _point(history: History, at: int) -> Point:
    labels = {"__name__": METRIC, "namespace": history.namespace, history.kind: history.name}
    return Point(labels, at * MS_PER_S, VALUES[Status(int(history.statuses[-1]))])
