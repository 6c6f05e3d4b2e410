"""``kill -9`` under load, at random and at chosen moments: what was acknowledged is stored exactly once."""

import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import vigla
from benchmarks.serving import Server, ServerFailed
from tests.faults import killer
from tests.faults.ledger import HOUR_NS, Sender, assert_exactly_once

SENDERS = 3
RETENTION_H = 2
CHECK_EVERY = 20
LONGEST_ROUND_S = 4.0

HURRIED = {
    "VIGLA_BUS__SEGMENT_BYTES": str(256 * 1024),
    "VIGLA_INGESTER__FLUSH_INTERVAL_S": "0.1",
    "VIGLA_INGESTER__FLUSH_ROWS": "500",
    "VIGLA_STORAGE__MERGE_INTERVAL_S": "0.3",
    "VIGLA_STORAGE__MAINTENANCE_INTERVAL_S": "0.5",
    "VIGLA_STORAGE__SNAPSHOT_GRACE_S": "0.2",
    "VIGLA_STORAGE__RETENTION_HOURS": str(RETENTION_H),
    "VIGLA_QUERY__SQL_MAX_ROWS": str(100_000_000),
}
"""Every step comes many times a second, so that a kill meets it."""


def _round_command(number: int, dice: random.Random) -> tuple[str, ...]:
    """Every other round ends at a chosen moment; the rest are ended from outside."""
    if number % 2:
        return (sys.executable, "-m", "vigla")
    point = list(killer.POINTS)[number // 2 % len(killer.POINTS)]
    nth, moment = dice.randint(1, 12), dice.choice(killer.MOMENTS)
    return (sys.executable, killer.__file__, point, str(nth), moment)


def _run_round(server: Server, senders: list[Sender], until_s: float) -> None:
    """Serve and send until it kills itself or ``until_s`` have passed; 0 kills it while it starts."""
    server.launch()
    try:
        _await_ready(server, until_s)
    except ServerFailed:
        return
    over = time.monotonic() + until_s
    arguments = (server.grpc_target, lambda: not server.alive())
    clients = [threading.Thread(target=sender.send_until, args=arguments) for sender in senders]
    for client in clients:
        client.start()
    server.wait(max(0.0, over - time.monotonic()))
    server.kill()
    for client in clients:
        client.join()


def _await_ready(server: Server, until_s: float) -> None:
    if not until_s:
        server.wait(random.uniform(0, 2))
        server.kill()
        raise ServerFailed("killed while it started")
    while not server.ready():
        if not server.alive():
            raise ServerFailed("it killed itself while it started")
        time.sleep(0.02)


def test_what_was_acknowledged_is_stored_exactly_once(
    tmp_path: Path, pytestconfig: pytest.Config, record_property: Callable[[str, object], None]
) -> None:
    rounds = pytestconfig.getoption("--rounds")
    dice = random.Random(rounds)
    senders = [Sender(run) for run in range(1, SENDERS + 1)]
    expiring = Sender(SENDERS + 1, age_ns=(RETENTION_H + 1) * HOUR_NS)
    for number in range(1, rounds + 1):
        server = Server(tmp_path / "lake", HURRIED, _round_command(number, dice))
        until_s = 0.0 if number % 10 == 0 else dice.uniform(0.2, LONGEST_ROUND_S)
        _run_round(server, [*senders, expiring], until_s)
        if number % CHECK_EVERY == 0 or number == rounds:
            _check(tmp_path / "lake", senders, expiring)
    record_property("acknowledged", sum(s.ledger.spans() for s in senders))


def _check(lake: Path, senders: list[Sender], expiring: Sender) -> None:
    with Server(lake, HURRIED) as server:
        # Spans past retention come and go; none of them may stand twice, so they count as unanswered.
        expiring.ledger.unanswered.extend(expiring.ledger.acknowledged)
        expiring.ledger.acknowledged.clear()
        assert_exactly_once(server, [*senders, expiring])
        kept = "ts > (SELECT max(ts) FROM spans) - INTERVAL 1 HOUR"
        with vigla.connect(server.query_url) as client:
            stored = client.sql(f"SELECT count(*) FROM spans WHERE {kept}").rows()
            summed = client.sql(f"SELECT sum(spans) FROM traces WHERE {kept}").rows()
        assert summed == stored, "trace summaries count other spans than are stored"
