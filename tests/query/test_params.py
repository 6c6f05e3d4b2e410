"""Parameters as Go reads them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.jaeger import params
from vigla.errors import QueryError


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0", 0),
        ("1ns", 1),
        ("1us", 1000),
        ("1µs", 1000),
        ("1.5ms", 1_500_000),
        ("2s", 2 * 10**9),
        ("1m30s", 90 * 10**9),
        ("1h2m3.5s", 3_723_500_000_000),
        (".5s", 500_000_000),
        ("-2s", -2 * 10**9),
        ("1.s", 10**9),
    ],
)
def test_durations(text: str, ns: int):
    assert params.duration_ns(text) == ns


@pytest.mark.parametrize("text", ["1", "1.5", "s", "1x", "1s1", "--1s", " 1s", "1 s", "1d", "99999999h"])
def test_what_is_no_duration(text: str):
    with pytest.raises(QueryError, match=r"time: (invalid|missing unit in) duration"):
        params.duration_ns(text)


@given(st.integers(0, 2**63 - 1))
def test_nanoseconds_are_exact(ns: int):
    assert params.duration_ns(f"{ns}ns") == ns
    assert params.duration_ns(f"{ns // 10**9}.{ns % 10**9:09}s") == ns


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("2017-01-26T16:46:31.639875-05:00", 1485467191639875000),
        ("2017-01-26T16:46:31.639875 05:00", 1485431191639875000),
        ("9999-12-31T23:59:59Z", 2**63 - 1),
        ("0001-01-01T00:00:00Z", -(2**63)),
    ],
)
def test_times(text: str, ns: int):
    assert params.rfc3339_ns(text) == ns


@pytest.mark.parametrize("text", ["", "now", "2017-01-26", "2017-13-26T00:00:00Z", "1485467191639875"])
def test_what_is_no_time(text: str):
    with pytest.raises(QueryError, match="parsing time"):
        params.rfc3339_ns(text)


def test_trace_ids_of_all_spellings():
    whole = "00000000000000ab00000000000000cd"
    raw = bytes.fromhex(whole)
    assert params.trace_id("AB00000000000000CD") == whole
    assert params.trace_id("1") == "1".rjust(32, "0")
    assert params.trace_id(base64.b64encode(raw).decode()) == whole
    assert params.trace_id(base64.urlsafe_b64encode(raw).decode().rstrip("=")) == whole


@pytest.mark.parametrize("text", ["", "xyz", "0" * 33, "é", "AAAA!", "0x1"])
def test_what_is_no_trace_id(text: str):
    with pytest.raises(QueryError, match="invalid trace ID"):
        params.trace_id(text)


@pytest.mark.parametrize("text", ["1", "t", "T", "true", "TRUE", "True"])
def test_truth(text: str):
    assert params.boolean(text)


def test_what_is_no_truth():
    with pytest.raises(QueryError, match="ParseBool"):
        params.boolean("yes")


@pytest.mark.parametrize("text", ["", "1.5", "x", "9223372036854775808", "1e3", "\u0661"])
def test_what_is_no_integer(text: str):
    with pytest.raises(QueryError, match="ParseInt"):
        params.integer(text)
