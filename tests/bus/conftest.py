"""Opens local buses, and closes them when the test ends."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bus.kafka.broker import Broker, available, settings_for
from tests.bus.kafka.reading import kafka_bus
from vigla.bus.api import Bus
from vigla.bus.local import LocalBus
from vigla.settings import BusSettings
from vigla.telemetry.metrics import Metrics

OpenBus = Callable[..., LocalBus]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def open_bus(tmp_path: Path, metrics: Metrics) -> Iterator[OpenBus]:
    """Call with settings to change; the same directory each time, so close one before the next."""
    with ExitStack() as stack:
        opened: list[LocalBus] = []

        def open_(directory: Path | None = None, **settings: int) -> LocalBus:
            for bus in opened:
                bus.close()
            opened.clear()
            wanted = BusSettings.model_validate({"min_free_bytes": 0, **settings})
            bus = LocalBus(directory or tmp_path / "bus", wanted, metrics)
            opened.append(bus)
            return bus

        stack.callback(lambda: [bus.close() for bus in opened])
        yield open_


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One for all tests of a worker; tests use topics of their own."""
    if not available():
        pytest.skip("no Kafka: `make test` gets it with Maven")
    running = Broker(tmp_path_factory.mktemp("kafka"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def name() -> str:
    """Of topics and group."""
    return f"t{uuid.uuid4().hex}"


@pytest.fixture(params=["local", "kafka"])
def any_bus(
    request: pytest.FixtureRequest, open_bus: OpenBus, tmp_path: Path, metrics: Metrics, name: str
) -> Iterator[Bus]:
    """Each bus, for what they have in common."""
    if request.param == "local":
        yield open_bus()
        return
    broker = request.getfixturevalue("broker")
    with kafka_bus(tmp_path / "spool", settings_for(broker, name), metrics) as bus:
        yield bus
