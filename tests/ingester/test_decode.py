"""One bad record costs only itself."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from ingester.decode import Decoding
from tests.ingester.payloads import GARBAGE, payload
from vigla.bus.api import Record, Topic
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.telemetry.metrics import Metrics
from vigla.wire.otlp.spans import SpanDecoder


class Kept:
    """Dead letters in memory."""

    def __init__(self) -> None:
        self.offsets: list[int] = []

    def put(self, topic: Topic, record: Record, reason: str) -> None:
        assert (topic, bool(reason)) == ("traces", True)
        self.offsets.append(record.offset)


class Brittle:
    """A decoder with a defect of its own."""

    def decode(self, payloads: Sequence[bytes]) -> pa.Table:
        if GARBAGE in payloads:
            raise IndexError("defect")
        return SpanDecoder(DEFAULT_PROMOTED).decode(payloads)


@pytest.mark.parametrize("decoder", [SpanDecoder(DEFAULT_PROMOTED), Brittle()])
@pytest.mark.parametrize("bad", [set(), {0}, {7}, {3, 4}, set(range(8))], ids=str)
def test_neighbours_of_bad_records_are_decoded(decoder: SpanDecoder | Brittle, bad: set[int]) -> None:
    records = [Record(n, GARBAGE if n in bad else payload(n * 10, 10)) for n in range(8)]
    kept, metrics = Kept(), Metrics()
    decoded = Decoding("traces", decoder, kept, metrics).decode(records)
    ids = [n for table in decoded for n in table.column("span_id").to_pylist()]
    assert ids == [n * 10 + k + 1 for n in range(8) if n not in bad for k in range(10)]
    assert kept.offsets == sorted(bad)
    counted = metrics.registry.get_sample_value("vigla_ingester_undecodable_total", {"topic": "traces"})
    assert (counted or 0) == len(bad)
