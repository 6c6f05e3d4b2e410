"""A bus segment whose end is torn, as a power cut leaves it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.serving import Server
from tests.faults.ledger import Sender, assert_exactly_once

NEVER_FLUSHED = {
    "VIGLA_INGESTER__FLUSH_INTERVAL_S": "3600",
    "VIGLA_INGESTER__FLUSH_ROWS": "100000000",
    "VIGLA_QUERY__SQL_MAX_ROWS": "10000000",
}
"""All stays on the bus, so that the restart must read it from there."""

Damage = Callable[[bytes], bytes]

TORN: dict[str, Damage] = {
    "half of a record": lambda content: content + content[: len(content) // 20],
    "zeroes, as a file system leaves them": lambda content: content + bytes(5000),
    "noise": lambda content: content + b"\xa5\x00\xff" * 700,
    "one byte": lambda content: content + b"\x00",
}


def _last_segment(lake: Path) -> Path:
    """The newest file of the ``traces`` topic that has content."""
    segments = [
        p for p in (lake / "bus").rglob("*") if p.is_file() and "traces" in str(p) and p.stat().st_size
    ]
    return max(segments, key=lambda p: (p.stat().st_size > 1000, p.name))


@pytest.mark.parametrize("damage", TORN)
def test_unacknowledged_tail_is_cut(tmp_path: Path, damage: str) -> None:
    lake, sender = tmp_path / "lake", Sender(1)
    server = Server(lake, NEVER_FLUSHED).start()
    sender.send(server.grpc_target, 20)
    server.kill()
    segment = _last_segment(lake)
    segment.write_bytes(TORN[damage](segment.read_bytes()))
    with Server(lake, NEVER_FLUSHED) as again:
        assert_exactly_once(again, [sender])
        sender.send(again.grpc_target, 20)
        assert_exactly_once(again, [sender])
    with Server(lake, NEVER_FLUSHED) as third:
        assert_exactly_once(third, [sender])


@pytest.mark.parametrize("lost", [1, 100, 3000])
def test_lost_tail_costs_only_the_records_it_held(tmp_path: Path, lost: int) -> None:
    lake, sender = tmp_path / "lake", Sender(1)
    server = Server(lake, NEVER_FLUSHED).start()
    sender.send(server.grpc_target, 20)
    server.kill()
    segment = _last_segment(lake)
    segment.write_bytes(segment.read_bytes()[:-lost])
    sender.ledger.unanswered.append(
        sender.ledger.acknowledged.pop()
    )  # one request is larger than what is lost
    with Server(lake, NEVER_FLUSHED) as again:
        sender.send(again.grpc_target, 20)
        assert_exactly_once(again, [sender])
