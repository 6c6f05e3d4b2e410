"""A bus and a store for the ingester, both real."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vigla.bus.local import LocalBus
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import BusSettings
from vigla.storage.memory import MemoryStore
from vigla.telemetry.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def bus(tmp_path: Path, metrics: Metrics) -> Iterator[LocalBus]:
    opened = LocalBus(tmp_path / "bus", BusSettings(), metrics)
    yield opened
    opened.close()


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    opened = MemoryStore(DEFAULT_PROMOTED)
    yield opened
    opened.close()
