"""The runner of promqltest files reads and compares as the recipe says."""

import math
from pathlib import Path

import numpy as np
import pytest

from query.promql.ast import Matcher
from query.promql.notation import (
    STALE,
    NotationError,
    Noted,
    read_histogram,
    read_row,
    read_values,
)
from query.promql.parser import parse
from query.promql.printer import format_expr
from tests.conformance.promqltest.compare import Found, differences, message_differences, near
from tests.conformance.promqltest.script import Eval, read_script
from tests.conformance.promqltest.storage import stored
from tests.conformance.promqltest.variants import at_variants, can_be_range, pin
from vigla.storage.api import Stop

UP = (("__name__", "up"),)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 2.5 -3e2", [1, 2.5, -300]),
        ("_ 1 _x3 2", [None, 1, None, None, None, 2]),
        ("7x2", [7, 7, 7]),
        ("0+10x3", [0, 10, 20, 30]),
        ("1-2x2 5", [1, -1, -3, 5]),
        ("-1-1x1", [-1, -2]),
        ("Inf -inf 0x1", [math.inf, -math.inf, 0, 0]),
        ("1e2+1e1x1", [100, 110]),
    ],
)
def test_numbers(text: str, values: list[float | None]):
    assert list(read_values(text)) == values


def test_stale_and_nan():
    stale, nan = read_values("stale NaN")
    assert isinstance(stale, float)
    assert isinstance(nan, float)
    assert near(stale, STALE)
    assert not near(stale, nan)
    assert near(nan, math.nan)


@pytest.mark.parametrize("text", ["abc", "1y", "{{", "1x", "_y"])
def test_no_values(text: str):
    with pytest.raises(NotationError):
        list(read_values(text))


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("up 1", UP),
        ('up{b="2", a="1"} 1', (("__name__", "up"), ("a", "1"), ("b", "2"))),
        ('{"x.y", "a b"="c"} 1', (("__name__", "x.y"), ("a b", "c"))),
        ('{a=""} 1', ()),
        ("{} 1", ()),
        ("sum 1", (("__name__", "sum"),)),
    ],
)
def test_labels(line: str, labels: tuple[tuple[str, str], ...]):
    row = read_row(line)
    assert (row.labels, row.values) == (labels, (1.0,))


def test_histogram_sequences():
    first, second, third = read_values(
        "{{schema:1 count:4 sum:2 buckets:[1 0 3]}}+{{schema:0 count:1 buckets:[1]}}x2"
    )
    assert isinstance(first, Noted)
    assert isinstance(second, Noted)
    assert isinstance(third, Noted)
    assert (first.histogram.schema, second.histogram.schema) == (1, 0)
    assert second.histogram.positive.first == 0
    assert second.histogram.positive.counts.tolist() == [2, 3]
    assert third.histogram.positive.counts.tolist() == [3, 3]
    assert third.histogram.count == 6


SCRIPT = """
load 1m
  up{a="1"}@st _ -10s-1sx1
  up{a="1"}    _ 1+1x1 stale
  h {{count:1 buckets:[1]}}x1 {{count:1 buckets:[1] counter_reset_hint:gauge}} {{count:3 buckets:[3]}} {{count:2 buckets:[2]}}

eval instant at 1m up
  expect no_warn
  expect info msg: something (1:1)
  up{a="1"} 1
# a comment
eval_fail range from 0 to 2m step 30s sum(h)
  expected_fail_regexp too .*

clear
load_with_nhcb 30s
  x_bucket{le="1"} 0 2
  x_bucket{le="+Inf"} 1 5
  x_count 1 5
  x_sum 2 9

eval_ordered instant at 30s x
  x {{schema:-53 count:5 sum:9 custom_values:[1] buckets:[2 3]}}
  {y="1"} 3

eval instant at 2m x[1m]
  expect range vector from 1m to 3m step 1m
  x 1 _ 3

eval instant at 0 "é"
  expect string "\\u00e9"

eval instant at 0 1
  1
"""  # noqa: E501


@pytest.fixture(name="cases")
def _cases(tmp_path: Path) -> list[Eval]:
    path = tmp_path / "some.test"
    path.write_text(SCRIPT)
    return list(read_script(path))


def test_commands(cases: list[Eval]):
    assert [case.name for case in cases] == [f"some:{line}" for line in (7, 12, 22, 26, 30, 33)]
    first, second, third, fourth, fifth, sixth = cases
    assert (first.end, first.step, first.text) == (60_000, None, "up")
    assert (second.start, second.end, second.step, second.text) == (0, 120_000, 30_000, "sum(h)")
    assert second.expected.fail is not None
    assert second.expected.fail.fits("that is too much")
    assert not second.expected.fail.fits("other")
    assert third.expected.ordered
    assert len(third.loads) == 1
    assert fourth.end == 180_000
    assert fifth.expected.string == "é"
    assert sixth.expected.scalar == 1


def test_stored_series(cases: list[Eval]):
    series = stored(cases[0].loads)
    batch = series.select([Matcher("a", "=", "1")], 0, 10**9, max_samples=10, stop=Stop())
    assert batch.times.tolist() == [60_000, 120_000, 180_000]
    assert batch.start_times is not None
    assert batch.start_times.tolist() == [50_000, 109_000, 0]
    batch = series.select([Matcher("__name__", "=", "h")], 0, 10**9, max_samples=10, stop=Stop())
    assert batch.histograms is not None
    hints = [histogram.hint for histogram in batch.histograms]
    assert hints == ["unknown", "not_reset", "gauge", "unknown", "unknown"]


def test_classic_histograms_become_nhcb(cases: list[Eval]):
    batch = stored(cases[2].loads).select(
        [Matcher("__name__", "=", "x")], 0, 10**9, max_samples=10, stop=Stop()
    )
    assert batch.histograms is not None
    result = Found(batch.labels[0], ((30_000, batch.histograms[1]),))
    other = Found((("y", "1"),), ((30_000, 3.0),))
    assert differences(cases[2], [result, other]) == []
    assert differences(cases[2], [other, result]) != []  # the order


def test_differences(cases: list[Eval]):
    case = cases[3]
    assert differences(case, [Found((("__name__", "x"),), ((60_000, 1.0), (180_000, 3.0000001)))]) == []
    wrong = [
        [],
        [Found((("__name__", "x"),), ((60_000, 1.0),))],
        [Found((("__name__", "x"),), ((60_000, 1.0), (120_000, 2.0), (180_000, 3.0)))],
        [Found((("__name__", "x"),), ((60_000, 1.0), (180_000, 3.1)))],
        [Found((("__name__", "y"),), ((60_000, 1.0), (180_000, 3.0)))],
    ]
    assert all(differences(case, result) for result in wrong)
    assert differences(cases[4], "é") == []
    assert differences(cases[4], "e")
    assert differences(cases[5], 1.0) == []
    assert differences(cases[5], 2.0)


def test_messages(cases: list[Eval]):
    expected = cases[0].expected
    assert message_differences(expected, [], ["something (1:1)"]) == []
    assert message_differences(expected, ["x"], ["something (1:1)"])
    assert message_differences(expected, [], [])
    assert message_differences(expected, [], ["something (1:1)", "more"])
    assert message_differences(cases[2].expected, ["x"], ["y"]) == []


def test_histograms_are_compared_compacted(cases: list[Eval]):
    noted = read_histogram("{{schema:-53 count:5 sum:9 custom_values:[1] buckets:[2 3 0]}}")
    found = Found((("__name__", "x"),), ((30_000, noted.histogram),))
    other = Found((("y", "1"),), ((30_000, 3.0),))
    assert differences(cases[2], [found, other]) == []
    noted = read_histogram("{{schema:-53 count:5 sum:9 custom_values:[1] offset:1 buckets:[2 3]}}")
    assert differences(cases[2], [Found(found.labels, ((30_000, noted.histogram),)), other])


def test_variants(cases: list[Eval]):
    expr = parse("sum(x @ start()) + rate(sum(y)[5m:1m]) + z @ 5 + rate(w[5m])")
    pinned = "sum(x @ 60.000) + rate(sum(y)[5m:1m] @ 60.000) + z @ 5.000 + rate(w[5m] @ 60.000)"
    assert format_expr(pin(expr, 60_000)) == pinned
    case = cases[0]
    assert [time for _, time in at_variants(case, parse(case.text))] == [-600_000, 0, 12_000, 60_000, 600_000]
    assert list(at_variants(case, parse("time()"))) == []
    assert list(at_variants(cases[1], parse("h"))) == []
    assert can_be_range(case, parse("time()"))
    assert not can_be_range(case, parse("x[step()]"))
    assert not can_be_range(cases[2], parse("x"))


def test_all_files_are_read(promql_files: list[Path]):
    cases = [case for path in promql_files for case in read_script(path)]
    commands = [line for path in promql_files for line in path.read_text().splitlines()]
    assert len(cases) == sum(line.strip().lower().startswith("eval") for line in commands)
    for loads in {id(case.loads): case.loads for case in cases}.values():
        series = stored(loads)
        assert np.all(series.select([], 0, 0, max_samples=10**9, stop=Stop()).times == 0)
