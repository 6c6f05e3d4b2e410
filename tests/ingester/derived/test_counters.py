"""Counters by labels: see ``ingester.derived.counters``."""

import math

import numpy as np
import orjson
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ingester.derived.counters import STALE, Counters, Family, grouped, spread
from vigla.wire.remote_write.decode import Decoded

CALLS = Family("calls_total", "counter", "Calls.")
TOOK = Family("took", "histogram", "Time.", "seconds", (0.5, 2.0))
A, B = (("s", "a"),), (("s", "b"),)


def shown(decoded: Decoded | None) -> dict[str, float]:
    assert decoded is not None
    ids, texts = (decoded.series.column(name).to_pylist() for name in ("sid", "labels"))
    labels = dict(zip(ids, texts, strict=True))
    sids, values = (decoded.samples.column(name).to_pylist() for name in ("sid", "value"))
    found = {}
    for sid, value in zip(sids, values, strict=True):
        own = orjson.loads(labels[sid])
        name = own.pop("__name__")
        found[f"{name} {' '.join(own.values())}"] = value
    return found


def test_counters_add_up_and_are_told_when_they_change() -> None:
    counters = Counters([CALLS], 10, 1000)
    counters.add("calls_total", [A, B, A], np.array([1.0, 2.0, 3.0]), 5)
    assert shown(counters.samples(6)) == {"calls_total a": 4.0, "calls_total b": 2.0}
    assert counters.samples(7) is None
    counters.add("calls_total", [B], np.array([1.0]), 8)
    again = counters.samples(9)
    assert shown(again) == {"calls_total b": 3.0}
    assert again is not None
    assert again.samples.column("start").to_pylist() == [5]


def test_a_histogram_is_cumulative() -> None:
    counters = Counters([TOOK], 10, 1000)
    counters.add("took", [A], spread(np.array([0.5, 0.6, 9.0]), np.zeros(3, np.int64), 1, TOOK.bounds), 5)
    assert shown(counters.samples(6)) == {
        "took_bucket 0.5 a": 1.0,
        "took_bucket 2 a": 2.0,
        "took_bucket +Inf a": 3.0,
        "took_sum a": 10.1,
        "took_count a": 3.0,
    }


def test_past_the_bound_new_labels_are_left_out() -> None:
    counters = Counters([CALLS], 1, 1000)
    counters.add("calls_total", [A, B], np.ones(2), 5)
    counters.add("calls_total", [A, B], np.ones(2), 5)
    assert shown(counters.samples(6)) == {"calls_total a": 2.0}
    assert counters.overflowed == 2


def test_idle_series_end_and_may_begin_anew() -> None:
    counters = Counters([CALLS, TOOK], 100, 10)
    counters.add("calls_total", [A], np.ones(1), 0)
    counters.samples(1)
    counters.add("took", [B], spread(np.ones(1), np.zeros(1, np.int64), 1, TOOK.bounds), 20)
    found = shown(counters.samples(20))
    assert math.isnan(found["calls_total a"])
    assert np.float64(STALE).view(np.uint64) == 0x7FF0000000000002
    counters.add("took", [B], spread(np.ones(1), np.zeros(1, np.int64), 1, TOOK.bounds), 21)
    counters.add("calls_total", [A], np.ones(1), 21)
    found = shown(counters.samples(22))
    assert (found["calls_total a"], found["took_count b"]) == (1.0, 2.0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.sampled_from("xy"))))
def test_groups_are_those_of_a_plain_walk(rows: list[tuple[str, str | None]]) -> None:
    columns = {
        "one": pa.array([row[0] for row in rows], pa.string()),
        "two": pa.array([row[1] for row in rows], pa.string()).dictionary_encode(),
    }
    labels, groups = grouped(columns)
    assert [labels[group] for group in groups.tolist()] == [
        (("one", one), ("two", two or "")) for one, two in rows
    ]
    assert len(set(labels)) == len(labels)
