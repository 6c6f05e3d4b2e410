"""Where the conformance cases are; they are no part of this repository."""

from pathlib import Path

import pytest

CASES = Path(__file__).parents[3] / "shared" / "conformance"


@pytest.fixture(scope="session")
def jaeger_cases() -> Path:
    """Folder of Jaeger's cases."""
    if not (CASES / "jaeger").is_dir():
        pytest.skip(f"no conformance cases: {CASES} is absent")
    return CASES / "jaeger"


@pytest.fixture(scope="session")
def promql_files() -> list[Path]:
    """Prometheus' own test scripts."""
    if not (CASES / "promql").is_dir():
        pytest.skip(f"no conformance cases: {CASES} is absent")
    return sorted((CASES / "promql").glob("*.test"))
