"""``kill -9`` of a process on Kafka under load: what was acknowledged is in the lake exactly once."""

import json
import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.serving import VIGLA, Server
from tests.bus.kafka.broker import Broker, available
from tests.faults import killer
from tests.faults.ledger import Sender, assert_exactly_once

ROUNDS = 8
SENDERS = 2
POINTS = ("add", "parquet", "fsync")
HURRIED = {
    "VIGLA_BUS__KIND": "kafka",
    "VIGLA_KAFKA__PARTITIONS": "3",
    "VIGLA_KAFKA__INSTANCE": "one",  # so that a restart need not wait until the dead member's session ends
    "VIGLA_KAFKA__SESSION_TIMEOUT_S": "6",
    "VIGLA_INGESTER__FLUSH_INTERVAL_S": "0.1",
    "VIGLA_INGESTER__FLUSH_ROWS": "500",
    "VIGLA_QUERY__SQL_MAX_ROWS": str(100_000_000),
}


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[Broker]:
    if not available():
        pytest.skip("no Kafka: `make test` gets it with Maven")
    (tmp_path / "kafka").mkdir()
    broker = Broker(tmp_path / "kafka")
    broker.start()
    yield broker
    broker.stop()


def _environment(broker: Broker) -> dict[str, str]:
    return HURRIED | {"VIGLA_KAFKA__SERVERS": json.dumps(broker.servers)}


def _load(server: Server, senders: list[Sender], seconds: float) -> None:
    """Send from several threads until the time is over or the server is gone."""
    over = time.monotonic() + seconds

    def done() -> bool:
        return time.monotonic() > over or not server.alive()

    threads = [threading.Thread(target=s.send_until, args=(server.grpc_target, done)) for s in senders]
    for thread in threads:
        thread.start()
    while not done():
        time.sleep(0.02)
    server.kill()
    for thread in threads:
        thread.join()


def test_killed_while_reading_and_writing(kafka: Broker, tmp_path: Path) -> None:
    dice = random.Random(ROUNDS)
    senders = [Sender(run) for run in range(1, SENDERS + 1)]
    for number in range(ROUNDS):
        point = POINTS[number // 2 % len(POINTS)]
        trap = (point, str(dice.randint(1, 12)), dice.choice(killer.MOMENTS))
        command = (sys.executable, killer.__file__, *trap) if number % 2 else VIGLA
        server = Server(tmp_path / "lake", _environment(kafka), command)
        server.launch()
        while server.alive() and not server.ready():
            time.sleep(0.02)
        _load(server, senders, dice.uniform(0.5, 3))
    acknowledged = sum(sender.ledger.spans() for sender in senders)
    print(f"{ROUNDS} kills, {acknowledged:,} spans acknowledged")  # noqa: T201  seen with -s
    assert acknowledged > 0
    with Server(tmp_path / "lake", _environment(kafka)) as server:
        assert_exactly_once(server, senders)


def test_stopped_broker_and_killed_process(kafka: Broker, tmp_path: Path) -> None:
    """What is accepted while Kafka is away is on disk, and survives the process."""
    sender = Sender(1)
    with Server(tmp_path / "lake", _environment(kafka)) as server:
        sender.send(server.grpc_target, 20)
        kafka.stop()
        sender.send(server.grpc_target, 20)
        server.kill()
    kafka.start()
    with Server(tmp_path / "lake", _environment(kafka)) as server:
        sender.send(server.grpc_target, 20)
        assert_exactly_once(server, [sender])
    assert sender.ledger.spans() > 0
