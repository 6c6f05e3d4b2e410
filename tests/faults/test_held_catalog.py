"""A second process on the same directory: refused with a message, the first undisturbed."""

from pathlib import Path

from benchmarks.serving import Server
from tests.faults.ledger import Sender, assert_exactly_once

ENVIRONMENT = {"VIGLA_QUERY__SQL_MAX_ROWS": "10000000"}


def test_second_process_is_refused(tmp_path: Path) -> None:
    sender = Sender(1)
    with Server(tmp_path / "lake", ENVIRONMENT) as first:
        sender.send(first.grpc_target, 5)
        second = Server(tmp_path / "lake", ENVIRONMENT)
        second.log = tmp_path / "second.log"
        second.launch()
        assert second.wait(60) not in {0, None}
        assert "Traceback" not in second.log_tail()
        assert str(tmp_path / "lake") in second.log_tail().replace("\n", "")
        sender.send(first.grpc_target, 5)
        assert_exactly_once(first, [sender])
