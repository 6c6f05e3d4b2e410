"""What only Kafka brings: brokers that go away, groups, logins."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bus.kafka.broker import PASSWORD, USER, Broker, available, settings_for
from tests.bus.kafka.reading import kafka_bus, read
from vigla.bus.api import Bus
from vigla.bus.kafka.bus import KafkaBus
from vigla.errors import Overloaded, PayloadTooLarge, SettingsError
from vigla.settings import BusSettings, KafkaSettings
from vigla.telemetry.metrics import Metrics

PATIENCE_S = 60.0


def append(bus: Bus, *payloads: bytes) -> list[int | BaseException | None]:
    async def send() -> list[int | BaseException | None]:
        appends = (bus.append("traces", payload) for payload in payloads)
        return await asyncio.gather(*appends, return_exceptions=True)

    return asyncio.run(send())


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_comes_while_kafka_is_away_waits_on_disk_and_is_sent_once(tmp_path: Path, name: str) -> None:
    if not available():
        pytest.skip("no Kafka: `make test` gets it with Maven")
    broker = Broker(tmp_path)
    settings, metrics = settings_for(broker, name), Metrics()
    with kafka_bus(tmp_path / "spool", settings, metrics) as bus:
        assert append(bus, *(b"before %d" % n for n in range(50))) == [None] * 50
    try:
        broker.start()
        with kafka_bus(tmp_path / "spool", settings, metrics) as bus:
            until(lambda: append(bus, b"direct") == [0] or bool(read(bus, 1)))
            read(bus, 51)
            broker.stop()
            kept = []
            for n in range(30):
                (outcome,) = append(bus, b"after %d" % n)
                if not isinstance(outcome, Overloaded):
                    kept.append(b"after %d" % n)
            assert len(kept) > 20
            broker.start()
            records = read(bus, 51 + len(kept))
            payloads = [r.payload for r in records]
            for payload in [b"before %d" % n for n in range(50)] + kept:
                assert payloads.count(payload) == 1
    finally:
        broker.stop()


def test_a_full_spool_refuses(tmp_path: Path, name: str) -> None:
    settings = KafkaSettings(servers=("127.0.0.1:1",), group=name)
    bounds = BusSettings(max_backlog_bytes=20_000, min_free_bytes=0)
    bus = KafkaBus(tmp_path / "spool", bounds, settings, Metrics())
    outcomes = append(bus, *(b"x" * 1000 for _ in range(30)))
    assert 10 <= outcomes.count(None) < 30
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert all(isinstance(outcome, Overloaded) for outcome in refused)
    bus.close()


def test_too_large_a_record_is_the_senders_fault(broker: Broker, name: str, tmp_path: Path) -> None:
    with kafka_bus(tmp_path / "spool", settings_for(broker, name, max_record_bytes=100_000)) as bus:
        (outcome,) = append(bus, b"x" * 100_000)
        assert isinstance(outcome, PayloadTooLarge)
        assert append(bus, b"x" * 50_000) == [0]


def test_members_of_a_group_share_the_partitions_and_take_over(
    broker: Broker, name: str, tmp_path: Path
) -> None:
    settings = settings_for(broker, name, partitions=4)
    with kafka_bus(tmp_path / "a", settings) as first:
        append(first, *(b"%d" % n for n in range(100)))
        all_records = read(first, 100)
        whole = first.partitions("traces")
        assert len(whole) == 4
        with kafka_bus(tmp_path / "b", settings) as second:

            def both() -> bool:
                for bus in (first, second):
                    bus.poll("traces", dict.fromkeys(bus.partitions("traces"), 0), max_bytes=1, timeout_s=0.1)
                return len(first.partitions("traces")) == len(second.partitions("traces")) == 2

            until(both)
            assert first.partitions("traces") | second.partitions("traces") == whole
            mine = second.partitions("traces")
            expected = sorted(r.payload for r in all_records if r.partition in mine)
            assert sorted(r.payload for r in read(second, len(expected))) == expected

        def alone() -> bool:
            places = dict.fromkeys(first.partitions("traces"), 0)
            first.poll("traces", places, max_bytes=1, timeout_s=0.1)
            return first.partitions("traces") == whole

        until(alone)


def test_login(broker: Broker, name: str, tmp_path: Path) -> None:
    login = {"servers": broker.login_servers, "sasl_mechanism": "PLAIN", "sasl_user": USER}
    with kafka_bus(tmp_path / "a", settings_for(broker, name, **login, sasl_password=PASSWORD)) as bus:
        assert append(bus, b"x") == [0]
        assert [record.payload for record in read(bus, 1)] == [b"x"]
    with kafka_bus(tmp_path / "b", settings_for(broker, name, **login, sasl_password="wrong")) as bus:
        assert append(bus, b"x") == [None]  # kept until the password is mended


def test_encryption(broker: Broker, name: str, tmp_path: Path) -> None:
    encrypted = {"servers": broker.encrypted_servers, "tls": True}
    settings = settings_for(broker, name, **encrypted, tls_ca=broker.certificate)
    with kafka_bus(tmp_path / "a", settings) as bus:
        assert append(bus, b"x") == [0]
        assert [record.payload for record in read(bus, 1)] == [b"x"]
    with kafka_bus(tmp_path / "b", settings_for(broker, name, **encrypted)) as bus:
        assert append(bus, b"x") == [None]  # nobody vouches for this broker


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"sasl_mechanism": "PLAIN"}, "sasl_user"),
        ({"tls": True, "tls_ca": "/nowhere.pem"}, "tls_ca"),
        ({"traces_topic": "one", "logs_topic": "one"}, "once"),
        ({"sources": [{"topic": "x", "encoding": "zipkin_json", "signal": "logs"}]}, "holds traces"),
    ],
)
def test_settings_that_cannot_work_are_named(tmp_path: Path, given: dict[str, object], match: str) -> None:
    settings = KafkaSettings.model_validate(given)
    with pytest.raises(SettingsError, match=match):
        KafkaBus(tmp_path / "spool", BusSettings(), settings, Metrics())
    assert not (tmp_path / "spool").exists()
