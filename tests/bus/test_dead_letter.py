"""Records set aside."""

import json
from pathlib import Path

from vigla.bus.api import Record
from vigla.bus.dead_letter import DeadLetters
from vigla.model.partitions import Partition

TRACES = Partition("traces")


def test_keeps_payload_and_reason(tmp_path: Path) -> None:
    DeadLetters(tmp_path / "dead", 1000).put("traces", Record(7, b"\xff", TRACES), "not a request")
    payload, reason = sorted((tmp_path / "dead").iterdir())
    assert payload.read_bytes() == b"\xff"
    assert json.loads(reason.read_text()) == {
        "topic": "traces",
        "log": "traces",
        "partition": 0,
        "offset": 7,
        "reason": "not a request",
    }


def test_same_record_again_replaces_itself(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path, 1000)
    for _ in range(3):
        letters.put("traces", Record(7, b"x" * 400, TRACES), "again")
    assert len(list(tmp_path.iterdir())) == 2


def test_oldest_make_room(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path, 1000)
    for offset in range(10):
        letters.put("traces", Record(offset, b"x" * 400, TRACES), "bad")
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == [
        "traces-0-00000000000000000008.bin",
        "traces-0-00000000000000000008.json",
        "traces-0-00000000000000000009.bin",
        "traces-0-00000000000000000009.json",
    ]
