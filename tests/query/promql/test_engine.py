"""The engine: a range query is its instant queries, limits, and what goes wrong."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.promql.engine import Engine, EngineOptions
from query.promql.errors import ExecutionError, PromqlError, TooManySamples
from query.promql.memory import MemorySeries
from query.promql.results import Result, Scalars, Series, Text, Vector
from query.promql.series import Labels
from vigla.errors import QueryCancelled
from vigla.prometheus.staleness import STALE
from vigla.storage.api import Stop

MINUTE = 60_000
ENGINE = Engine()
EXPRESSIONS = [
    "a",
    "a offset 3m",
    "a @ 600",
    "a @ end() + a",
    "sum(a)",
    "sum by (job) (rate(a[5m]))",
    "avg without (instance) (a)",
    "max(a) - min(a)",
    "stddev by (job) (a)",
    "quantile(0.3, a)",
    "topk(1, a)",
    "count_values('v', a)",
    "a > 3",
    "a > bool 3",
    "a + on (job, instance) b",
    "a * on (job) group_left b{instance='0'}",
    "a and b",
    "a unless b",
    "a or b",
    "a + fill(1) b",
    "-a",
    "scalar(sum(a)) + time()",
    "vector(1) + 1",
    "absent(a)",
    "absent_over_time(a[2m])",
    "max_over_time(a[4m:1m])",
    "sum_over_time(sum(a)[5m:30s] offset 1m)",
    "label_replace(a, 'x', '$1', 'job', '(.).*')",
    "timestamp(a)",
    "clamp_max(a, 4)",
    "hour(a)",
]


def shown(result: Result, time: int) -> dict[Labels, str]:
    """The elements at a time, by labels; NaN is equal to itself so."""
    value = result.value
    if isinstance(value, Scalars):
        return {(): f"{value.values[0]:.9g}"}
    assert isinstance(value, Vector | Series)
    times = [value.time] if isinstance(value, Vector) else value.times.tolist()
    if time not in times:
        return {}
    step = times.index(time)
    rows = np.flatnonzero(value.matrix.present[:, step]).tolist()
    return {value.matrix.labels[row]: f"{value.matrix.values[row, step]:.9g}" for row in rows}


def fails(source: MemorySeries, query: str, time: int) -> bool:
    """Whether the instant query cannot be answered."""
    try:
        ENGINE.instant(source, query, time, Stop())
    except ExecutionError:
        return True
    return False


SAMPLES = st.lists(
    st.one_of(st.none(), st.just(STALE), st.just(math.nan), st.integers(-5, 20).map(float)),
    min_size=1,
    max_size=12,
)


@given(
    data=st.dictionaries(
        st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from("01")), SAMPLES, max_size=6
    ),
    query=st.sampled_from(EXPRESSIONS),
    uneven=st.booleans(),
)
def test_a_range_query_is_its_instant_queries(
    data: dict[tuple[str, str, str], list[float | None]], query: str, *, uneven: bool
) -> None:
    source = MemorySeries()
    for (name, job, instance), samples in data.items():
        for place, value in enumerate(samples):
            if value is not None:
                labels = (("__name__", name), ("instance", instance), ("job", job))
                source.append(labels, place * MINUTE + (place * 7919 % 5000 if uneven else 0), value)
    start, end, step = 0, 15 * MINUTE, 90_000
    query = query.replace("@ end()", f"@ {end / 1000}")
    try:
        whole = ENGINE.range(source, query, start, end, step, Stop())
    except ExecutionError:
        assert any(fails(source, query, time) for time in range(start, end + 1, step))
        return
    for time in range(start, end + 1, step):
        alone = ENGINE.instant(source, query, time, Stop())
        assert shown(whole, time) == shown(alone, time), time


@pytest.fixture
def source() -> MemorySeries:
    made = MemorySeries()
    for minute in range(10):
        for instance in "01":
            made.append((("__name__", "a"), ("instance", instance)), minute * MINUTE, float(minute))
    return made


def test_values_have_the_type_of_the_query(source: MemorySeries) -> None:
    assert ENGINE.instant(source, "'text'", 5000, Stop()).value == Text(5000, "text")
    assert isinstance(ENGINE.instant(source, "1 + 1", 0, Stop()).value, Scalars)
    assert isinstance(ENGINE.instant(source, "a", 0, Stop()).value, Vector)
    samples = ENGINE.instant(source, "a[3m]", 5 * MINUTE, Stop()).value
    assert isinstance(samples, Series)
    assert samples.times.tolist() == [3 * MINUTE, 4 * MINUTE, 5 * MINUTE]
    number = ENGINE.range(source, "1", 0, MINUTE, MINUTE, Stop()).value
    assert isinstance(number, Series)
    assert number.matrix.labels == [()]


def test_series_of_a_range_query_are_sorted_and_topk_of_an_instant_one_is_ranked() -> None:
    made = MemorySeries()
    for instance, value in (("b", 1.0), ("a", 3.0), ("c", 2.0)):
        made.append((("__name__", "m"), ("instance", instance)), 0, value)
    ranked = ENGINE.instant(made, "topk(2, m)", 0, Stop()).value
    assert isinstance(ranked, Vector)
    assert [dict(labels)["instance"] for labels in ranked.matrix.labels] == ["a", "c"]
    over_time = ENGINE.range(made, "topk(3, m)", 0, 0, 1000, Stop()).value
    assert isinstance(over_time, Series)
    assert [dict(labels)["instance"] for labels in over_time.matrix.labels] == ["a", "b", "c"]


def test_more_samples_than_allowed_are_refused_before_they_are_read(source: MemorySeries) -> None:
    engine = Engine(EngineOptions(max_samples=10))
    with pytest.raises(TooManySamples, match="too many samples into memory"):
        engine.instant(source, "sum_over_time(a[10m])", 9 * MINUTE, Stop())
    with pytest.raises(TooManySamples):
        engine.range(source, "1", 0, 10**9, 1, Stop())
    with pytest.raises(TooManySamples):  # two samples, but two series at each of ten steps
        engine.range(source, "a", 9 * MINUTE, 9 * MINUTE + 9, 1, Stop())


def test_a_stopped_query_ends(source: MemorySeries) -> None:
    stop = Stop()
    stop.stop("cancelled")
    with pytest.raises(QueryCancelled):
        ENGINE.instant(source, "sum(a)", 0, stop)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("a + on () a", "found duplicate series for the match group {} on the right hand-side"),
        ("a * on () group_left sum(a) + a", ""),
        ("label_replace(a, 'instance', 'x', '', '')", "vector cannot contain metrics with the same labelset"),
        ("topk(NaN, a)", "Parameter value is NaN"),
        ("max_over_time(a[1m] anchored)", "anchored modifier can only be used with: changes, delta"),
        ("label_replace(a, 'x', '', 'y', '(')", "invalid regular expression in label_replace()"),
    ],
)
def test_series_that_do_not_fit_the_query(source: MemorySeries, query: str, said: str) -> None:
    if not said:
        ENGINE.instant(source, query, 5 * MINUTE, Stop())
        return
    with pytest.raises(ExecutionError) as failed:
        ENGINE.instant(source, query, 5 * MINUTE, Stop())
    assert said in str(failed.value)


def test_a_text_that_is_no_query(source: MemorySeries) -> None:
    with pytest.raises(PromqlError, match="1:5: parse error"):
        ENGINE.instant(source, "sum(", 0, Stop())


def test_names_go_at_once_or_at_the_end(source: MemorySeries) -> None:
    query = "label_replace(rate(a[5m]), 'was', '$1', '__name__', '(.+)')"
    for delayed, was in ((False, None), (True, "a")):
        engine = Engine(EngineOptions(delayed_name_removal=delayed))
        value = engine.instant(source, query, 5 * MINUTE, Stop()).value
        assert isinstance(value, Vector)
        assert {dict(labels).get("was") for labels in value.matrix.labels} == {was}
        assert all("__name__" not in dict(labels) for labels in value.matrix.labels)


def test_notes_say_where(source: MemorySeries) -> None:
    found = ENGINE.instant(source, "sum(rate(a[5m]))", 5 * MINUTE, Stop())
    text = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket"
    assert found.infos == (f'PromQL info: {text}: "a" (1:10)',)
    assert ENGINE.instant(source, "quantile(2, a)", 0, Stop()).warnings == (
        "PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)",
    )
