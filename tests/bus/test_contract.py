"""What every bus promises: see ``vigla.bus.api``."""

import asyncio
import threading
from collections import defaultdict

from tests.bus.kafka.reading import MIB, read
from vigla.bus.api import Bus, Record
from vigla.model.partitions import Partition


def append(bus: Bus, *payloads: bytes, key: bytes = b"") -> None:
    async def send() -> None:
        await asyncio.gather(*(bus.append("traces", payload, key) for payload in payloads))

    asyncio.run(send())


def by_partition(records: list[Record]) -> dict[Partition, list[int]]:
    found: dict[Partition, list[int]] = defaultdict(list)
    for record in records:
        found[record.partition].append(record.offset)
    return found


def test_what_was_appended_is_read_once_and_in_the_order_of_offsets(any_bus: Bus) -> None:
    payloads = [b"%d" % n * 50 for n in range(300)]
    append(any_bus, *payloads, b"", b"x" * MIB)
    records = read(any_bus, 302)
    assert sorted(record.payload for record in records) == sorted([*payloads, b"", b"x" * MIB])
    for offsets in by_partition(records).values():
        assert offsets == sorted(set(offsets))


def test_payloads_of_one_key_keep_their_order(any_bus: Bus) -> None:
    for n in range(20):
        append(any_bus, b"a%d" % n, key=b"a")
        append(any_bus, b"b%d" % n, key=b"b")
    records = read(any_bus, 40)
    for key in (b"a", b"b"):
        mine = [record for record in records if record.payload.startswith(key)]
        assert [record.payload for record in mine] == [key + b"%d" % n for n in range(20)]
        assert len({record.partition for record in mine}) == 1


def test_topics_are_apart(any_bus: Bus) -> None:
    append(any_bus, b"span")
    asyncio.run(any_bus.append("logs", b"line"))
    assert [record.payload for record in read(any_bus, 1)] == [b"span"]
    assert [record.payload for record in read(any_bus, 1, "logs")] == [b"line"]


def test_reading_begins_where_it_is_told_and_not_where_was_committed(any_bus: Bus) -> None:
    append(any_bus, *(b"%d" % n for n in range(20)), key=b"same")
    records = read(any_bus, 20)
    partition = records[0].partition
    any_bus.commit(partition, records[-1].offset + 1)
    for start in (15, 3, 19):
        again = read(any_bus, 20 - start, positions={partition: records[start].offset})
        assert [record.offset for record in again] == [record.offset for record in records[start:]]


def test_a_partition_that_is_not_ours_gives_nothing(any_bus: Bus) -> None:
    append(any_bus, b"x")
    assert Partition("of others", 7) not in any_bus.partitions("traces")
    places = dict.fromkeys([*any_bus.partitions("traces"), Partition("of others", 7)], 0)
    records = any_bus.poll("traces", places, max_bytes=MIB, timeout_s=0)
    assert {record.partition for record in records} <= any_bus.partitions("traces")


def test_the_end_is_behind_the_last_record(any_bus: Bus) -> None:
    append(any_bus, *(b"%d" % n for n in range(7)), key=b"same")
    records = read(any_bus, 7)
    assert any_bus.end(records[0].partition) == records[-1].offset + 1


def test_a_poll_waits_for_the_first_record(any_bus: Bus) -> None:
    append(any_bus, b"first", key=b"same")
    (first,) = read(any_bus, 1)
    late = threading.Timer(0.2, append, (any_bus, b"late"), {"key": b"same"})
    late.start()
    places = {first.partition: first.offset + 1}
    records = any_bus.poll("traces", places, max_bytes=MIB, timeout_s=60)
    assert [record.payload for record in records] == [b"late"]
    late.join()
