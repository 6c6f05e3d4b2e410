"""A pilot for one test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.proxy.pilot.mesh import Mesh, running


@pytest.fixture
async def mesh(tmp_path: Path) -> AsyncIterator[Mesh]:
    """With nothing in it."""
    async with running(tmp_path / "mesh") as made:
        yield made
