"""``kill -9`` under load, at random and at chosen moments: what was acknowledged is stored exactly once."""

import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

import vigla
from benchmarks.serving import VIGLA, Server
from tests.faults import killer
from tests.faults.ledger import HOUR_NS, Sender, assert_exactly_once

SENDERS = 3
RETENTION_H = 24
CHECK_EVERY = 20
START_EVERY = 10  # rounds that are killed while the server starts
START_S = 60.0
LONGEST_ROUND_S = 4.0
ROUNDS_THAT_MEET_ALL = 100
SELDOM = ("merge", "retention", "clean-up")

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


def _trap(number: int, dice: random.Random) -> tuple[str, ...]:
    """Where the server kills itself in this round: point, number of the call, moment."""
    point = list(killer.POINTS)[number // 2 % len(killer.POINTS)]
    calls = 2 if point in SELDOM else 12
    return point, str(dice.randint(1, calls)), dice.choice(killer.MOMENTS)


def _serve(server: Server, senders: list[Sender], until_s: float) -> bool:
    """Serve under load for ``until_s`` at most; whether it had to be killed then."""
    arguments = (server.grpc_target, lambda: not server.alive())
    clients = [threading.Thread(target=sender.send_until, args=arguments) for sender in senders]
    for client in clients:
        client.start()
    server.wait(until_s)
    killed = server.kill()
    for client in clients:
        client.join()
    return killed


def _start(server: Server, within_s: float) -> bool:
    """Wait until it is ready or has ended; whether it had to be killed as ``within_s`` were over."""
    server.launch()
    over = time.monotonic() + within_s
    while server.alive() and not server.ready():
        if time.monotonic() > over:
            return server.kill()
        time.sleep(0.02)
    return False


def test_what_was_acknowledged_is_stored_exactly_once(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    rounds = pytestconfig.getoption("--rounds")
    dice = random.Random(rounds)
    senders = [Sender(run) for run in range(1, SENDERS + 1)]
    expiring = Sender(SENDERS + 1, age_ns=(RETENTION_H + 1) * HOUR_NS)
    met: Counter[str] = Counter()
    for number in range(1, rounds + 1):
        trap = () if number % 2 else _trap(number, dice)
        command = (sys.executable, killer.__file__, *trap) if trap else VIGLA
        server = Server(tmp_path / "lake", HURRIED, command)
        killed = _start(server, dice.uniform(0, 2) if number % START_EVERY == 0 else START_S)
        until_s = LONGEST_ROUND_S if trap else dice.uniform(0.2, LONGEST_ROUND_S)
        if server.alive():
            killed = _serve(server, [*senders, expiring], until_s)
        if not killed:
            met[trap[0] if trap else "none"] += 1
        if number % CHECK_EVERY == 0 or number == rounds:
            _check(tmp_path / "lake", senders, expiring)
    summary = (
        f"{rounds} rounds, {sum(s.ledger.spans() for s in senders):,} spans acknowledged; met: {dict(met)}"
    )
    print(summary)  # noqa: T201  the figures of a long run, seen with -s
    assert rounds < ROUNDS_THAT_MEET_ALL or set(met) == set(killer.POINTS), met


def _check(lake: Path, senders: list[Sender], expiring: Sender) -> None:
    with Server(lake, HURRIED) as server:
        # Spans past retention come and go; none of them may stand twice, so they count as unanswered.
        expiring.ledger.unanswered.extend(expiring.ledger.acknowledged)
        expiring.ledger.acknowledged.clear()
        assert_exactly_once(server, [*senders, expiring])
        kept = "ts > (SELECT max(ts) FROM spans) - INTERVAL 12 HOUR"
        with vigla.connect(server.query_url) as client:
            stored = client.sql(f"SELECT count(*) FROM spans WHERE {kept}").rows()
            summed = client.sql(f"SELECT sum(spans) FROM traces WHERE {kept}").rows()
        assert summed == stored, "trace summaries count other spans than are stored"
