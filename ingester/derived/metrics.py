"""What an ingester counts of the batches it stores.

Counters live in memory and begin at zero with the process, as those of a restarted exporter do: ``rate`` and
``increase`` see a reset. A batch that is read from the bus again after a crash is counted again.
"""

import pyarrow as pa

from ingester.derived import access_logs, service_graph, spans
from ingester.derived.counters import Counters
from vigla.clock import Clock
from vigla.settings import IngesterSettings
from vigla.wire.remote_write.decode import Decoded

IDLE_MS = 15 * 60 * 1000
NS_PER_MS = 1_000_000


class DerivedMetrics:
    """Counts spans and access logs; each kind from one thread, giving out from another.

    Args:
        settings: how many series there may be.
        clock: samples are of the time at which they are given out, be the spans older.
    """

    def __init__(self, settings: IngesterSettings, clock: Clock) -> None:
        self._clock = clock
        self._spans = Counters((*spans.FAMILIES, *service_graph.FAMILIES), settings.derived_series, IDLE_MS)
        self._graph = service_graph.ServiceGraph(self._spans)
        self._access_logs = Counters(access_logs.FAMILIES, settings.derived_series, IDLE_MS)

    def observe_spans(self, batch: pa.Table) -> None:
        """Count spans."""
        spans.observe(self._spans, batch, self._now())
        self._graph.observe(batch, self._now())

    def observe_access_logs(self, batch: pa.Table) -> None:
        """Count access log entries."""
        access_logs.observe(self._access_logs, batch, self._now())

    def samples(self) -> list[Decoded]:
        """Samples of what changed since the last call."""
        self._graph.expire(self._now())
        found = (counters.samples(self._now()) for counters in (self._spans, self._access_logs))
        return [each for each in found if each is not None]

    def overflowed(self) -> int:
        """Label sets that were not counted, once for each batch that had them."""
        return self._spans.overflowed + self._access_logs.overflowed

    def _now(self) -> int:
        return self._clock.now_ns() // NS_PER_MS
