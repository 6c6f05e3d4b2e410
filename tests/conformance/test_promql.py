"""Prometheus' own PromQL test scripts: every evaluation, pinned to its time, and as a range query."""

from pathlib import Path

import pytest

from tests.conformance.conftest import CASES
from tests.conformance.promqltest.lake import in_lake
from tests.conformance.promqltest.runner import (
    has_pinned,
    has_range,
    problems_as_range,
    problems_as_written,
    problems_pinned,
)
from tests.conformance.promqltest.script import Eval, Load, read_script

FOLDER = CASES / "promql"
EVALS = [case for path in sorted(FOLDER.glob("*.test")) for case in read_script(path)]

pytestmark = pytest.mark.skipif(not EVALS, reason=f"no conformance cases: {FOLDER} is absent")


BY_LOADS: dict[tuple[Load, ...], list[Eval]] = {}
for _case in EVALS:
    BY_LOADS.setdefault(_case.loads, []).append(_case)


def _name(case: Eval) -> str:
    return case.name


@pytest.mark.parametrize("case", EVALS, ids=_name)
def test_evaluation(case: Eval):
    assert problems_as_written(case) == [], case.text


@pytest.mark.parametrize("case", [case for case in EVALS if has_pinned(case)], ids=_name)
def test_pinned_to_its_time(case: Eval):
    assert problems_pinned(case) == [], case.text


@pytest.mark.parametrize("case", [case for case in EVALS if has_range(case)], ids=_name)
def test_as_a_range_query(case: Eval):
    assert problems_as_range(case) == [], case.text


@pytest.mark.parametrize("cases", BY_LOADS.values(), ids=lambda cases: f"from {_name(cases[0])}")
def test_evaluations_over_a_lake(cases: list[Eval], tmp_path: Path):
    """All that share their series."""
    with in_lake(cases[0].loads, tmp_path / "lake") as source:
        found = {f"{_name(case)}: {case.text}": problems_as_written(case, source) for case in cases}
    assert {text: problems for text, problems in found.items() if problems} == {}
