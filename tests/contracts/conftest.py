"""Every store, so that each statement about the contract is tested on all of them."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vigla.clock import SystemClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import StorageSettings
from vigla.storage.api import Store
from vigla.storage.lake import Lake
from vigla.storage.memory import MemoryStore
from vigla.storage.tables import LakeTables
from vigla.telemetry.metrics import Metrics


def _memory(_: Path) -> Store:
    return MemoryStore(DEFAULT_PROMOTED)


def _lake(path: Path) -> Store:
    return Lake(StorageSettings(path=path), DEFAULT_PROMOTED, Metrics(), SystemClock())


@pytest.fixture(scope="session")
def new_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with its tables made, for copying: making them takes longer than most tests."""
    path = tmp_path_factory.mktemp("new") / "lake"
    _lake(path).close()
    return path


@pytest.fixture(params=[_memory, _lake], ids=["memory", "lake"])
def store(request: pytest.FixtureRequest, tmp_path: Path, new_lake: Path) -> Iterator[Store]:
    create: Callable[[Path], Store] = request.param
    opened = create(shutil.copytree(new_lake, tmp_path / "lake"))
    yield opened
    opened.close()


@pytest.fixture
def tables() -> LakeTables:
    return LakeTables(DEFAULT_PROMOTED)
