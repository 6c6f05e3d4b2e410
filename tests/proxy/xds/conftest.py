"""A control plane for one test."""

from collections.abc import AsyncIterator

import pytest

from tests.proxy.xds.plane import Plane, cluster, running, snapshot


@pytest.fixture
async def plane() -> AsyncIterator[Plane]:
    """It has two clusters for the first proxy and one for the other."""
    first = {
        "web-1.default": snapshot([cluster("a"), cluster("b")]),
        "cart-1.default": snapshot([cluster("c")]),
    }
    async with running(first) as made:
        yield made
