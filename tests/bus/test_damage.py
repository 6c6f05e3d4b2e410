"""Torn ends and damaged segments: what was before is kept, the rest is set aside and counted."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from vigla.bus.local import LocalBus
from vigla.bus.segment import HEADER
from vigla.model.partitions import Partition
from vigla.settings import BusSettings
from vigla.telemetry.metrics import Metrics

PAYLOADS = [b"first", b"", b"third " * 40, b"4"]
ENDS = [sum(HEADER.size + len(p) for p in PAYLOADS[:n]) for n in range(len(PAYLOADS) + 1)]


def _open(directory: Path, metrics: Metrics | None = None) -> LocalBus:
    return LocalBus(directory, BusSettings(min_free_bytes=0), metrics or Metrics())


def _payloads(bus: LocalBus) -> list[bytes]:
    found: list[bytes] = []
    offset = 0
    while records := bus.poll("traces", {Partition("traces"): offset}, max_bytes=100, timeout_s=0):
        found += [record.payload for record in records]
        offset = records[-1].offset + 1
    return found


def _append(bus: LocalBus, *payloads: bytes) -> list[int]:
    async def append() -> list[int]:
        return [await bus.append("traces", payload) for payload in payloads]

    return asyncio.run(append())


def _written(directory: Path) -> Path:
    bus = _open(directory)
    _append(bus, *PAYLOADS)
    bus.close()
    (segment,) = (directory / "traces").iterdir()
    return segment


def _whole(size: int) -> int:
    """Records that end within ``size`` bytes."""
    return sum(end <= size for end in ENDS[1:])


@given(size=st.integers(0, ENDS[-1]))
@example(size=0)
@example(size=ENDS[2])
@example(size=ENDS[2] + 1)
@example(size=ENDS[-1] - 1)
def test_end_torn_at_any_byte(size: int) -> None:
    _assert_recovers(lambda content: content[:size], _whole(size))


@given(tail=st.binary(min_size=1, max_size=60) | st.integers(1, 5000).map(bytes))
def test_end_followed_by_anything(tail: bytes) -> None:
    _assert_recovers(lambda content: content + tail, len(PAYLOADS))


@given(place=st.integers(0, ENDS[-1] - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found(place: int, bit: int) -> None:
    def flip(content: bytes) -> bytes:
        return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]

    _assert_recovers(flip, _whole(place))


def _assert_recovers(damage: Callable[[bytes], bytes], whole: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        segment = _written(Path(directory))
        segment.write_bytes(damage(segment.read_bytes()))
        bus = _open(Path(directory))
        assert _payloads(bus) == PAYLOADS[:whole]
        assert _append(bus, b"after") == [whole]
        bus.close()
        bus = _open(Path(directory))
        assert _payloads(bus) == [*PAYLOADS[:whole], b"after"]
        bus.close()


def test_torn_end_is_counted(tmp_path: Path) -> None:
    segment = _written(tmp_path)
    segment.write_bytes(segment.read_bytes()[:-1])
    metrics = Metrics()
    _open(tmp_path, metrics).close()
    assert metrics.registry.get_sample_value("vigla_bus_damaged_total", {"topic": "traces"}) == 1
    assert not (tmp_path / "damaged").exists()


def test_damage_before_intact_records_is_kept_for_inspection(tmp_path: Path) -> None:
    segment = _written(tmp_path)
    damaged = segment.read_bytes().replace(b"first", b"f1rst")
    segment.write_bytes(damaged)
    _open(tmp_path).close()
    (copy,) = (tmp_path / "damaged").iterdir()
    assert copy.read_bytes() == damaged


class TestClosedSegment:
    """Five segments of ten records each, the second one damaged in its middle."""

    def test_records_before_and_later_segments_are_read(self, tmp_path: Path) -> None:
        bus, _ = self._five_segments(tmp_path)
        try:
            assert [payload[0] for payload in _payloads(bus)] == [*range(15), *range(20, 50)]
        finally:
            bus.close()

    def test_segment_is_set_aside_and_loss_counted(self, tmp_path: Path) -> None:
        metrics = Metrics()
        bus, content = self._five_segments(tmp_path, metrics)
        _payloads(bus)
        bus.close()
        (copy,) = (tmp_path / "damaged").iterdir()
        assert copy.read_bytes() == content
        labels = {"topic": "traces"}
        assert metrics.registry.get_sample_value("vigla_bus_damaged_total", labels) == 1
        assert metrics.registry.get_sample_value("vigla_bus_lost_records_total", labels) == 5

    def test_found_once(self, tmp_path: Path) -> None:
        bus, _ = self._five_segments(tmp_path)
        _payloads(bus)
        bus.close()
        metrics = Metrics()
        bus = _open(tmp_path, metrics)
        assert len(_payloads(bus)) == 45
        bus.close()
        assert not metrics.registry.get_sample_value("vigla_bus_damaged_total", {"topic": "traces"})

    def test_poll_in_the_gap_goes_on_behind_it(self, tmp_path: Path) -> None:
        bus, _ = self._five_segments(tmp_path)
        records = bus.poll("traces", {Partition("traces"): 17}, max_bytes=100, timeout_s=0)
        assert records[0].offset == 20
        bus.close()

    def test_poll_in_a_gap_at_the_end_waits(self, tmp_path: Path) -> None:
        """Behind the damage there is only the open segment, with nothing in it yet."""
        bus, _ = self._five_segments(tmp_path)
        bus.commit(Partition("traces"), 20)
        for segment in sorted((tmp_path / "traces").iterdir()):
            segment.write_bytes(b"")
        assert list(bus.poll("traces", {Partition("traces"): 20}, max_bytes=100, timeout_s=0)) == []
        bus.close()

    def _five_segments(self, directory: Path, metrics: Metrics | None = None) -> tuple[LocalBus, bytes]:
        settings = BusSettings(segment_bytes=10 * (HEADER.size + 100), min_free_bytes=0)
        bus = LocalBus(directory, settings, Metrics())
        _append(bus, *(bytes([n]) * 100 for n in range(50)))
        bus.close()
        segment = sorted((directory / "traces").iterdir())[1]
        content = bytearray(segment.read_bytes())
        content[len(content) // 2] ^= 0xFF
        segment.write_bytes(content)
        return LocalBus(directory, settings, metrics or Metrics()), bytes(content)


def test_damage_under_the_writer(tmp_path: Path) -> None:
    """The open segment is damaged while the bus runs: it goes on in another one."""
    bus = _open(tmp_path)
    _append(bus, b"one", b"two", b"three")
    (segment,) = (tmp_path / "traces").iterdir()
    segment.write_bytes(segment.read_bytes().replace(b"two", b"tvo"))
    assert _payloads(bus) == [b"one"]
    _append(bus, b"four", b"five")
    assert _payloads(bus) == [b"one", b"four", b"five"]
    bus.close()
