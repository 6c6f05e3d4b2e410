"""Prometheus' own PromQL test scripts: every evaluation, pinned to its time, and as a range query."""

import pytest

from tests.conformance.conftest import CASES
from tests.conformance.promqltest.runner import (
    has_pinned,
    has_range,
    problems_as_range,
    problems_as_written,
    problems_pinned,
)
from tests.conformance.promqltest.script import Eval, read_script

FOLDER = CASES / "promql"
EVALS = [case for path in sorted(FOLDER.glob("*.test")) for case in read_script(path)]

pytestmark = pytest.mark.skipif(not EVALS, reason=f"no conformance cases: {FOLDER} is absent")


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
