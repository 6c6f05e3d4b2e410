"""Options and hypothesis profiles of the whole suite."""

import hypothesis
import pytest
from hypothesis import HealthCheck

LIVE = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)  # examples talk to a running server

hypothesis.settings.register_profile(
    "default", max_examples=30, deadline=None, suppress_health_check=LIVE, derandomize=True
)
hypothesis.settings.register_profile("long", max_examples=3000, deadline=None, suppress_health_check=LIVE)
hypothesis.settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--rounds``: how often tests/faults kills the server."""
    parser.addoption("--rounds", type=int, default=6, help="kill -9 rounds of tests/faults")
