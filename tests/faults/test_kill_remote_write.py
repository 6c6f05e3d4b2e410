"""``kill -9`` under remote write: what was answered 204 is read back, each sample once."""

import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

import vigla
from benchmarks.serving import Server
from tests.wire.remote_write_messages import packed, request_v1

SERIES = 5
VISIBLE_WITHIN_S = 60.0
HURRIED = {
    "VIGLA_INGESTER__FLUSH_INTERVAL_S": "0.1",
    "VIGLA_STORAGE__MERGE_INTERVAL_S": "0.3",
    "VIGLA_STORAGE__MAINTENANCE_INTERVAL_S": "0.5",
    "VIGLA_STORAGE__SNAPSHOT_GRACE_S": "0.2",
    "VIGLA_QUERY__SQL_MAX_ROWS": "100000000",
    "VIGLA_SCRAPE__OWN": "false",  # no samples but the sender's
    "VIGLA_RULES__MESH": "false",
}
HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
STORED = """
SELECT DISTINCT labels ->> '$.n' AS n, epoch_ms(samples.ts) AS ts, value
FROM samples JOIN series USING (sid)
"""

Sample = tuple[str, int]


@dataclass
class Sender:
    """Sends one time of all series after the other; by turns to both ports that take remote write."""

    began_ms: int
    sent: set[Sample] = field(default_factory=set)
    acknowledged: set[Sample] = field(default_factory=set)
    count: int = 0

    def send_until_gone(self, server: Server) -> None:
        """Send until the server is gone."""
        with httpx.Client(timeout=20, headers=HEADERS) as client:
            while True:
                self.count += 1
                now = self.began_ms + self.count
                rows = [({"__name__": "m", "n": str(n)}, [(now, float(now + n))]) for n in range(SERIES)]
                batch = {(str(n), now) for n in range(SERIES)}
                self.sent |= batch
                url = server.query_url if self.count % 2 else server.otlp_url
                try:
                    answer = client.post(f"{url}/api/v1/write", content=packed(request_v1(*rows)))
                except httpx.TransportError:
                    return
                assert answer.status_code == 204, answer.text
                self.acknowledged |= batch


def test_acknowledged_samples_are_stored_and_stand_once(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    dice = random.Random(1)
    sender = Sender(time.time_ns() // 10**6 - 3_600_000)
    for _ in range(pytestconfig.getoption("--rounds")):
        _round(tmp_path / "lake", sender, dice.uniform(0.2, 2.5))
    with Server(tmp_path / "lake", HURRIED) as server:
        deadline = time.monotonic() + VISIBLE_WITHIN_S
        while not sender.acknowledged <= set(stored := _stored(server)):
            assert time.monotonic() < deadline, "acknowledged samples are missing"
            time.sleep(0.5)
        with vigla.connect(server.query_url) as client:
            rows = client.sql("SELECT count(*) AS n FROM samples").arrow().column(0)[0].as_py()
    assert sender.acknowledged
    assert len(stored) == len(set(stored)) == rows, "samples stand more than once"
    assert set(stored) <= sender.sent


def _round(lake: Path, sender: Sender, until_s: float) -> None:
    server = Server(lake, HURRIED).start()
    client = threading.Thread(target=sender.send_until_gone, args=(server,))
    client.start()
    server.wait(until_s)
    server.kill()
    client.join()


def _stored(server: Server) -> list[Sample]:
    with vigla.connect(server.query_url) as client:
        rows = client.sql(STORED).arrow().to_pylist()
    assert all(row["value"] == row["ts"] + int(row["n"]) for row in rows)
    return [(row["n"], row["ts"]) for row in rows]
