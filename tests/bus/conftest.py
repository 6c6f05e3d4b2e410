"""Opens local buses, and closes them when the test ends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

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
