"""Durations: literals, and expressions once the bounds of the query are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.promql.ast import DurationNumber, MatrixSelector, VectorSelector
from query.promql.durations import resolve
from query.promql.errors import PromqlError
from query.promql.parser import parse
from query.promql.printer import format_expr
from vigla.prometheus.durations import format_duration, parse_duration


@given(st.integers(0, 9 * 10**12))
def test_literals_round_trip(milliseconds: int):
    assert parse_duration(format_duration(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty duration string"),
        ("5", 'not a valid duration string: "5"'),
        ("m", 'not a valid duration string: "m"'),
        ("1s1m", 'not a valid duration string: "1s1m"'),
        ("1x", 'unknown unit "x" in duration "1x"'),
        ("1000y", "duration out of range"),
    ],
)
def test_wrong_literals(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        parse_duration(text)


def _resolved(text: str) -> str:
    """In a query of an hour in steps of 15 seconds."""
    return format_expr(resolve(parse(text), 1_000_000, 4_600_000, 15_000))


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("x[5m*2]", "x[10m]"),
        ("x[range()/step()]", "x[4m]"),
        ("x[-5m+2^3*1m]", "x[3m]"),
        ("x offset -(step()*3)", "x offset -45s"),
        ("x offset +step()", "x offset 15s"),
        ("rate(x[max_of(step(), 1m)])[1h:min_of(step()+0.5,1m)] offset (10 % 4)", None),
        ("x[1.0009]", "x[1s1ms]"),
        ("x[1.0009+0]", "x[1s]"),
        ("x offset 2 ^ 2", "x offset 2s ^ 2"),
        ("x[2^3^0]", "x[2s]"),
        ("x[-2^2+5]", "x[1s]"),
    ],
)
def test_expressions(text: str, resolved: str | None):
    assert _resolved(text) == (resolved or "rate(x[1m])[1h:15s500ms] offset 2s")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x[step()-15]", "2:11: duration must be greater than 0"),
        ("x[5m:step()-1h]", "5:14: duration must be greater than 0"),
        ("x[1/(step()-15)]", "2:15: division by zero"),
        ("x[1%(step()-15)]", "2:15: modulo by zero"),
        ("x offset (9^99*step())", "9:22: duration is out of range"),
        ("x[9^999]", "2:7: duration is out of range"),
        ("x[(-8)^0.5*step()]", "3:17: duration is out of range"),
    ],
)
def test_wrong_expressions(text: str, message: str):
    with pytest.raises(PromqlError) as raised:
        _resolved(text)
    assert str(raised.value) == message


def test_resolved_durations_are_numbers_below_all_nodes():
    expr = resolve(parse("x[step()] offset step()"), 0, 0, 2000)
    assert isinstance(expr, MatrixSelector)
    assert isinstance(expr.vector, VectorSelector)
    assert isinstance(expr.range, DurationNumber)
    assert isinstance(expr.vector.offset, DurationNumber)
    assert (expr.range.seconds, expr.vector.offset.seconds) == (2, 2)
