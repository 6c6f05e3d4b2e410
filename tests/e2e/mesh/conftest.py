"""One mesh for all tests of a worker."""

from collections.abc import Iterator

import pytest

from tests.e2e.mesh.mesh import Mesh, eventually, running

VERSIONS = {"v1", "v2", "v3"}


@pytest.fixture(scope="session")
def mesh_of_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with running(tmp_path_factory.mktemp("mesh")) as made:
        yield made


@pytest.fixture
def mesh(mesh_of_worker: Mesh) -> Mesh:
    """The mesh, once nothing of the test before is left in it: every version answers again."""
    assert eventually(lambda: {mesh_of_worker.call().version for _ in range(16)} == VERSIONS)
    return mesh_of_worker
