"""The bus's contract on the local log."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from vigla.bus.api import Bus, Topic
from vigla.bus.local import LocalBus
from vigla.errors import Overloaded, StorageUnavailable
from vigla.model.partitions import Partition
from vigla.settings import BusSettings
from vigla.telemetry.metrics import Metrics

OpenBus = Callable[..., LocalBus]
MIB = 2**20
START = {Partition("traces"): 0}


def _polled(bus: Bus, offset: int = 0, topic: Topic = "traces", max_bytes: int = MIB) -> dict[int, bytes]:
    records = bus.poll(topic, {Partition(topic): offset}, max_bytes=max_bytes, timeout_s=0)
    return {record.offset: record.payload for record in records}


def _all(bus: Bus, max_bytes: int = MIB) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while more := _polled(bus, max(found, default=-1) + 1, max_bytes=max_bytes):
        found |= more
    return found


def _value(metrics: Metrics, name: str, topic: str = "traces") -> float:
    return metrics.registry.get_sample_value(name, {"topic": topic}) or 0.0


async def test_records_come_back_in_order(open_bus: OpenBus) -> None:
    bus: Bus = open_bus()
    assert [await bus.append("traces", payload) for payload in (b"a", b"", b"c" * 3000)] == [0, 1, 2]
    assert _polled(bus) == {0: b"a", 1: b"", 2: b"c" * 3000}
    assert _polled(bus, 2) == {2: b"c" * 3000}
    assert _polled(bus, 3) == {}
    assert bus.end(Partition("traces")) == 3


async def test_topics_are_apart(open_bus: OpenBus) -> None:
    bus = open_bus()
    await bus.append("traces", b"span")
    await bus.append("logs", b"line")
    assert _polled(bus, topic="traces") == {0: b"span"}
    assert _polled(bus, topic="logs") == {0: b"line"}
    assert _polled(bus, topic="metrics") == {}


@pytest.mark.parametrize("max_bytes", [1, 10, 130, MIB])
async def test_poll_gives_at_least_one_record(open_bus: OpenBus, max_bytes: int) -> None:
    bus = open_bus(segment_bytes=1000)
    payloads = [bytes([n]) * 100 for n in range(40)]
    for payload in payloads:
        await bus.append("traces", payload)
    assert list(_all(bus, max_bytes).values()) == payloads


async def test_poll_again_from_before(open_bus: OpenBus) -> None:
    bus = open_bus(segment_bytes=1000)
    for n in range(40):
        await bus.append("traces", bytes([n]) * 100)
    _all(bus)
    for start in (39, 0, 17, 5):
        assert min(_polled(bus, start)) == start


async def test_poll_waits_for_the_first_record(open_bus: OpenBus) -> None:
    bus = open_bus()
    polled = asyncio.create_task(asyncio.to_thread(bus.poll, "traces", START, max_bytes=MIB, timeout_s=60))
    await bus.append("traces", b"late")
    assert [record.payload for record in await polled] == [b"late"]


async def test_poll_ends_when_the_bus_closes(open_bus: OpenBus) -> None:
    bus = open_bus()
    polled = asyncio.create_task(asyncio.to_thread(bus.poll, "traces", START, max_bytes=MIB, timeout_s=60))
    await asyncio.sleep(0)
    open_bus()
    assert list(await polled) == []


class TestGroupCommit:
    async def test_concurrent_appends_share_syncs(self, open_bus: OpenBus, metrics: Metrics) -> None:
        bus = open_bus()
        offsets = await asyncio.gather(*(bus.append("traces", b"%d" % n) for n in range(1000)))
        assert offsets == list(range(1000))
        assert _all(bus) == {n: b"%d" % n for n in range(1000)}
        syncs = metrics.registry.get_sample_value("vigla_bus_fsync_seconds_count")
        assert syncs is not None
        assert syncs < 500

    async def test_cancelled_append_leaves_the_others_be(self, open_bus: OpenBus) -> None:
        bus = open_bus()
        appends = [asyncio.create_task(bus.append("traces", b"%d" % n)) for n in range(100)]
        await asyncio.sleep(0)
        for task in appends[::3]:
            task.cancel()
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        kept = _all(bus)
        for n, outcome in enumerate(outcomes):
            if isinstance(outcome, int):
                assert kept[outcome] == b"%d" % n
        assert sum(isinstance(outcome, int) for outcome in outcomes) == 66

    async def test_appends_from_several_loops(self, open_bus: OpenBus) -> None:
        bus = open_bus()

        async def append(name: bytes) -> list[int]:
            return [await bus.append("traces", name + b"%d" % n) for n in range(50)]

        names = (b"a", b"b", b"c")
        offsets = await asyncio.gather(*(asyncio.to_thread(asyncio.run, append(name)) for name in names))
        kept = _all(bus)
        for name, given in zip(names, offsets, strict=True):
            assert [kept[offset] for offset in given] == [name + b"%d" % n for n in range(50)]

    async def test_close_finishes_what_waits(self, open_bus: OpenBus) -> None:
        bus = open_bus()
        appends = [asyncio.create_task(bus.append("traces", b"x" * 1000)) for _ in range(200)]
        await asyncio.sleep(0)
        again = open_bus()
        assert await asyncio.gather(*appends) == list(range(200))
        assert len(_all(again)) == 200
        with pytest.raises(Overloaded, match="closed"):
            await bus.append("traces", b"x")


class TestCommit:
    async def test_frees_whole_segments(self, open_bus: OpenBus, tmp_path: Path) -> None:
        bus = open_bus(segment_bytes=1000)
        for n in range(40):
            await bus.append("traces", bytes([n]) * 100)
        files = len(list((tmp_path / "bus/traces").iterdir()))
        bus.commit(Partition("traces"), 20)
        assert len(list((tmp_path / "bus/traces").iterdir())) < files
        assert 15 <= min(_polled(bus, 0)) <= 20
        assert min(_polled(bus, 20)) == 20

    async def test_reports_lag_and_backlog(self, open_bus: OpenBus, metrics: Metrics) -> None:
        bus = open_bus()
        for _ in range(5):
            await bus.append("traces", b"x" * 100)
        assert _value(metrics, "vigla_bus_lag_records") == 5
        assert _value(metrics, "vigla_bus_backlog_bytes") >= 500
        bus.commit(Partition("traces"), 3)
        assert _value(metrics, "vigla_bus_lag_records") == 2

    async def test_backlog_is_bounded_until_committed(self, open_bus: OpenBus) -> None:
        bus = open_bus(max_backlog_bytes=20_000)
        appends = [bus.append("traces", b"x" * 500) for _ in range(50)]
        outcomes = [await asyncio.gather(append, return_exceptions=True) for append in appends]
        accepted = sum(isinstance(outcome, int) for (outcome,) in outcomes)
        assert 20 <= accepted <= 40
        with pytest.raises(Overloaded, match="backlog"):
            await bus.append("traces", b"x" * 500)
        await bus.append("logs", b"another topic has its own bound")
        assert len(_all(bus)) == accepted
        bus.commit(Partition("traces"), bus.end(Partition("traces")))
        await bus.append("traces", b"x" * 500)

    async def test_waiting_payloads_count_too(self, open_bus: OpenBus) -> None:
        bus = open_bus(max_backlog_bytes=20_000)
        appends = (bus.append("traces", b"x" * 500) for _ in range(200))
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        assert sum(isinstance(outcome, int) for outcome in outcomes) <= 40
        assert len(_all(bus)) == sum(isinstance(outcome, int) for outcome in outcomes)


class TestRestart:
    async def test_goes_on_where_it_was(self, open_bus: OpenBus) -> None:
        bus = open_bus(segment_bytes=1000)
        for n in range(40):
            await bus.append("traces", bytes([n]) * 100)
        again = open_bus(segment_bytes=1000)
        assert await again.append("traces", b"next") == 40
        assert len(_all(again)) == 41

    async def test_offsets_grow_when_all_was_committed(self, open_bus: OpenBus) -> None:
        bus = open_bus(segment_bytes=100)
        for _ in range(10):
            await bus.append("traces", b"x" * 200)
        bus.commit(Partition("traces"), 10)
        again = open_bus(segment_bytes=100)
        assert again.end(Partition("traces")) == 10
        assert await again.append("traces", b"x") == 10

    async def test_offsets_grow_when_the_directory_was_deleted(self, open_bus: OpenBus) -> None:
        bus = open_bus()
        bus.reserve(Partition("traces"), 1000)
        assert bus.end(Partition("traces")) == 1000
        assert await bus.append("traces", b"new") == 1000
        assert _polled(bus, 1000) == {1000: b"new"}
        again = open_bus()
        again.reserve(Partition("traces"), 1000)
        assert _all(again) == {1000: b"new"}

    async def test_reserve_below_the_end_keeps_the_records(self, open_bus: OpenBus, metrics: Metrics) -> None:
        bus = open_bus()
        for _ in range(5):
            await bus.append("traces", b"x")
        again = open_bus()
        again.reserve(Partition("traces"), 3)
        assert sorted(_polled(again, 3)) == [3, 4]
        assert _value(metrics, "vigla_bus_lag_records") == 2

    async def test_other_files_are_ignored(self, open_bus: OpenBus, tmp_path: Path) -> None:
        bus = open_bus()
        await bus.append("traces", b"x")
        (tmp_path / "bus/traces/notes.txt").write_text("by an operator")
        assert _all(open_bus()) == {0: b"x"}


def test_second_process_is_refused(open_bus: OpenBus, tmp_path: Path) -> None:
    open_bus()
    with pytest.raises(StorageUnavailable, match="in use by another"):
        LocalBus(tmp_path / "bus", BusSettings(), Metrics())


def test_unusable_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable, match=str(tmp_path / "file")):
        LocalBus(tmp_path / "file", BusSettings(), Metrics())


async def test_reading_writing_and_committing_at_once(open_bus: OpenBus) -> None:
    bus = open_bus(segment_bytes=5000)
    count = 3000
    seen: list[int] = []

    def consume() -> None:
        while len(seen) < count:
            records = bus.poll("traces", {Partition("traces"): len(seen)}, max_bytes=2000, timeout_s=60)
            assert all(record.payload == b"%d" % record.offset * 20 for record in records)
            seen.extend(record.offset for record in records)
            bus.commit(Partition("traces"), len(seen))

    consumer = threading.Thread(target=consume)
    consumer.start()
    for first in range(0, count, 50):
        await asyncio.gather(*(bus.append("traces", b"%d" % n * 20) for n in range(first, first + 50)))
    await asyncio.to_thread(consumer.join)
    assert seen == list(range(count))
