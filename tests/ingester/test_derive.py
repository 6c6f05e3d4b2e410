"""Trace summaries from spans."""

import pytest

from ingester.derive import summaries
from tests.contracts.rows import START_NS, spans
from vigla.model.spans import summary_schema

A, B = "a" * 32, "b" * 32


def test_one_row_for_each_trace_whatever_the_order() -> None:
    rows = spans(
        {"trace_id": B, "span_id": 4, "parent_id": 9, "ts": START_NS + 5, "service": "db", "dur": 1},
        {"trace_id": A, "span_id": 2, "parent_id": 1, "ts": START_NS + 10, "service": "cart", "dur": 100},
        {"trace_id": A, "span_id": 3, "parent_id": 1, "ts": START_NS + 20, "status_code": 2, "dur": 5},
        {"trace_id": A, "span_id": 1, "parent_id": 0, "ts": START_NS, "name": "root", "dur": 50},
    )
    made = summaries(rows)
    assert made.schema == summary_schema()
    first, second = sorted(made.to_pylist(), key=lambda row: row["trace_id"])
    assert {**first, "services": sorted(first["services"])} == {
        "trace_id": A,
        "ts": first["ts"],
        "end_ts": first["end_ts"],
        "spans": 3,
        "errors": 1,
        "root_service": "shop",
        "root_name": "root",
        "services": ["cart", "shop"],
    }
    assert (first["ts"].value, first["end_ts"].value) == (START_NS, START_NS + 110)
    assert (second["root_service"], second["root_name"], second["services"]) == (None, None, ["db"])


def test_the_earliest_of_several_roots() -> None:
    rows = spans({"ts": START_NS + 2, "name": "second"}, {"ts": START_NS + 1, "name": "first"})
    assert summaries(rows).to_pylist()[0]["root_name"] == "first"


@pytest.mark.parametrize(("ts", "dur"), [(0, 2**63 - 1), (START_NS, 2**63 - 1), (2**63 - 1, 1)])
def test_an_end_beyond_what_a_timestamp_holds(ts: int, dur: int) -> None:
    made = summaries(spans({"ts": ts, "dur": dur}))
    assert made.column("end_ts").cast("int64").to_pylist() == [2**63 - 1]


def test_no_spans() -> None:
    assert summaries(spans()).num_rows == 0
