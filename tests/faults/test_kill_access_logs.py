"""``kill -9`` under a load of access logs: what a stream was told is durable is stored exactly once."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest

import vigla
from benchmarks.serving import Server
from tests.wire.access_log_messages import http_entries, identified

METHOD = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs"
ENTRIES, MESSAGES = 5, 3  # of a message, of a stream
VISIBLE_WITHIN_S = 60.0
HURRIED = {
    "VIGLA_INGESTER__FLUSH_INTERVAL_S": "0.1",
    "VIGLA_STORAGE__MERGE_INTERVAL_S": "0.3",
    "VIGLA_STORAGE__MAINTENANCE_INTERVAL_S": "0.5",
    "VIGLA_STORAGE__SNAPSHOT_GRACE_S": "0.2",
    "VIGLA_QUERY__SQL_MAX_ROWS": "100000000",
}

Stream: TypeAlias = "grpc.StreamUnaryMultiCallable[bytes, bytes]"


@dataclass
class Sender:
    """Opens short streams: the end of one is only answered when all of it is durable."""

    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)

    def send_until(self, target: str, done: Callable[[], bool]) -> None:
        """Send streams one after the other until told to end, or the server is gone."""
        with grpc.insecure_channel(target) as channel:
            call: Stream = channel.stream_unary(METHOD)
            while not done():
                first = len(self.sent)
                numbers = range(first, first + ENTRIES * MESSAGES)
                messages = [
                    http_entries(start, ENTRIES, into=None if start > first else identified())
                    for start in numbers[::ENTRIES]
                ]
                self.sent |= {f"r{n}" for n in numbers}
                try:
                    call(iter([m.SerializeToString() for m in messages]), timeout=20)
                except grpc.RpcError:
                    return
                self.acknowledged |= {f"r{n}" for n in numbers}


def test_what_streams_were_told_is_durable_is_stored_exactly_once(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    dice = random.Random(1)
    sender = Sender()
    for _ in range(pytestconfig.getoption("--rounds")):
        _round(tmp_path / "lake", sender, dice.uniform(0.2, 2.5))
    with Server(tmp_path / "lake", HURRIED) as server:
        deadline = time.monotonic() + VISIBLE_WITHIN_S
        while (stored := _stored(server)) and not sender.acknowledged <= set(stored):
            assert time.monotonic() < deadline, "acknowledged entries are missing"
            time.sleep(0.5)
    assert sender.acknowledged
    assert len(stored) == len(set(stored)), "entries stand more than once"
    assert set(stored) <= sender.sent


def _round(lake: Path, sender: Sender, until_s: float) -> None:
    server = Server(lake, HURRIED).start()
    client = threading.Thread(target=sender.send_until, args=(server.grpc_target, lambda: not server.alive()))
    client.start()
    server.wait(until_s)
    server.kill()
    client.join()


def _stored(server: Server) -> list[str]:
    with vigla.connect(server.query_url) as client:
        ids: list[str] = client.sql("SELECT request_id FROM access_logs").arrow().column(0).to_pylist()
    return ids
