"""A real PostgreSQL for the tests of the store."""

from collections.abc import Iterator

import pytest

from tests.proxy.config.postgresql import Postgresql, programs, running


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """One server for all tests; each takes a database of its own."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL below /usr/lib/postgresql: apt-get install postgresql")
    with running(found) as server:
        yield server
