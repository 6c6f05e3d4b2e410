"""Reductions over groups are those of a plain loop."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from query.promql import grouping
from query.promql.grouping import Groups

NUMBERS = st.one_of(
    st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf, 1e100, -1e100, 1e308, 0.0])
)
TABLES = st.integers(1, 5).flatmap(
    lambda steps: st.lists(
        st.tuples(
            st.integers(0, 2), st.lists(st.tuples(NUMBERS, st.booleans()), min_size=steps, max_size=steps)
        ),
        min_size=1,
        max_size=8,
    )
)


def same(found: float, wanted: float) -> bool:
    return (math.isnan(found) and math.isnan(wanted)) or math.isclose(
        found, wanted, rel_tol=1e-9, abs_tol=1e-9
    )


def precise_sum(values: list[float]) -> float:
    try:
        return math.fsum(values)
    except OverflowError:
        return math.copysign(math.inf, sum(v * 2.0**-60 for v in values))
    except ValueError:  # both infinities
        return math.nan


def mean(values: list[float]) -> float:
    return precise_sum([v * 2.0**-60 for v in values]) / len(values) / 2.0**-60


def quantile(values: list[float], level: float) -> float:
    ordered = sorted(values, key=lambda v: (not math.isnan(v), v))
    rank = level * (len(ordered) - 1)
    low, high = math.floor(rank), min(math.floor(rank) + 1, len(ordered) - 1)
    return ordered[low] * (1 - (rank - low)) + ordered[high] * (rank - low)


@given(table=TABLES, level=st.floats(0, 1))
def test_reductions(table: list[tuple[int, list[tuple[float, bool]]]], level: float) -> None:
    numbers = np.array([group for group, _ in table], np.int64)
    values = np.array([[value for value, _ in row] for _, row in table])
    present = np.array([[there for _, there in row] for _, row in table])
    groups = Groups(numbers, [(("g", str(n)),) for n in range(3)])
    sums, lost = grouping.total(groups, values, present)
    found = {
        "sum": sums + lost,
        "mean": grouping.mean(groups, values, present),
        "max": grouping.extreme(groups, values, present, largest=True),
        "quantile": grouping.quantile(groups, values, present, np.full(values.shape[1], level)),
    }
    for group, step in np.ndindex(3, values.shape[1]):
        own = values[(numbers == group) & present[:, step], step].tolist()
        assert grouping.Groups.counts(groups, present)[group, step] == len(own)
        if not own:
            continue
        real = [v for v in own if not math.isnan(v)]
        wanted = {"max": max(real, default=math.nan), "quantile": quantile(own, level)}
        if not any(abs(v) > 1e300 for v in own if math.isfinite(v)):
            wanted["sum"] = precise_sum(own)
        wanted["mean"] = mean(own)
        for name, value in wanted.items():
            assert same(found[name][group, step], value), (name, own, found[name][group, step], value)
