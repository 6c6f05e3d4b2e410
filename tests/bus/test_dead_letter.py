"""Records set aside."""

import json
from pathlib import Path

from vigla.bus.api import Record
from vigla.bus.dead_letter import DeadLetters


def test_keeps_payload_and_reason(tmp_path: Path) -> None:
    DeadLetters(tmp_path / "dead", 1000).put("traces", Record(7, b"\xff"), "not a request")
    payload, reason = sorted((tmp_path / "dead").iterdir())
    assert payload.read_bytes() == b"\xff"
    assert json.loads(reason.read_text()) == {"topic": "traces", "offset": 7, "reason": "not a request"}


def test_same_record_again_replaces_itself(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path, 1000)
    for _ in range(3):
        letters.put("traces", Record(7, b"x" * 400), "again")
    assert len(list(tmp_path.iterdir())) == 2


def test_oldest_make_room(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path, 1000)
    for offset in range(10):
        letters.put("traces", Record(offset, b"x" * 400), "bad")
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == [
        "traces-00000000000000000008.bin",
        "traces-00000000000000000008.json",
        "traces-00000000000000000009.bin",
        "traces-00000000000000000009.json",
    ]
