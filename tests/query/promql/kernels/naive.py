"""Windows made from lists of samples, and PromQL's range functions as plain loops over one window."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from query.promql.ast import Extension, Place
from query.promql.kernels.call import RangeCall
from query.promql.kernels.notes import Recorder
from query.promql.matrix import Windows
from query.promql.series import SeriesBatch

Sample = tuple[int, float]


@dataclass(frozen=True)
class Case:
    series: list[list[Sample]]
    ends: list[int]
    length: int

    def window(self, row: int, column: int) -> list[Sample]:
        end = self.ends[column]
        return [sample for sample in self.series[row] if end - self.length < sample[0] <= end]


def call_of(  # noqa: PLR0913 - one option per property of a call
    series: Sequence[Sequence[tuple[int, object]]],
    ends: Sequence[int],
    length: int,
    *,
    parameters: Sequence[float] = (),
    extension: Extension | None = None,
    start_times: Sequence[Sequence[int]] | None = None,
    name: str = "x",
) -> RangeCall:
    """A call over series of (milliseconds, number or Histogram) pairs."""
    offsets = np.cumsum([0, *map(len, series)], dtype=np.int64)
    times = np.array([time for row in series for time, _ in row], dtype=np.int64)
    samples = [value for row in series for _, value in row]
    numbers = [value if isinstance(value, (int, float)) else math.nan for value in samples]
    has_histograms = any(not isinstance(value, (int, float)) for value in samples)
    histograms = np.full(len(samples), None, dtype=object)
    for index, value in enumerate(samples):
        if not isinstance(value, (int, float)):
            histograms[index] = value
    bounds = np.array(ends, dtype=np.int64)
    starts = bounds - length
    pieces = [times[offsets[i] : offsets[i + 1]] for i in range(len(series))]
    shape = (len(series), len(bounds))
    first = [np.searchsorted(part, starts, side="right") for part in pieces]
    last = [np.searchsorted(part, bounds, side="right") for part in pieces]
    batch = SeriesBatch(
        labels=[(("__name__", name), ("i", str(i))) for i in range(len(series))],
        offsets=offsets,
        times=times,
        values=np.array(numbers, dtype=np.float64),
        histograms=histograms if has_histograms else None,
        start_times=None
        if start_times is None
        else np.array([value for row in start_times for value in row], dtype=np.int64),
    )
    windows = Windows(
        batch,
        np.array(first, dtype=np.int64).reshape(shape) + offsets[:-1, None],
        np.array(last, dtype=np.int64).reshape(shape) + offsets[:-1, None],
        starts,
        bounds,
    )
    return RangeCall(
        windows,
        bounds,
        Recorder(),
        Place(5, 9),
        parameters=tuple(np.full(len(bounds), value) for value in parameters),
        parameter_place=Place(1, 2),
        extension=extension,
        use_start_times=start_times is not None,
    )


NUMBERS = st.one_of(
    st.integers(0, 20).map(float),
    st.floats(-1000, 1000, allow_subnormal=False).map(lambda value: round(value, 3)),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e100, -1e100, 1e-3]),
)
FINITE = st.integers(-50, 50).map(lambda value: value / 4)


@st.composite
def cases(draw: st.DrawFn, numbers: st.SearchStrategy[float] = NUMBERS) -> Case:
    rows = draw(
        st.lists(st.lists(st.tuples(st.integers(1, 40), numbers), max_size=25), min_size=1, max_size=3)
    )
    series: list[list[Sample]] = []
    for row in rows:
        time, samples = 0, []
        for gap, value in row:
            time += gap * 1000
            samples.append((time, value))
        series.append(samples)
    ends = [5_000 + 20_000 * step for step in range(draw(st.integers(1, 12)))]
    return Case(series, ends, draw(st.integers(1, 200)) * 1000)


def neumaier(values: Sequence[float]) -> float:
    total = error = 0.0
    for value in values:
        new = total + value
        if not math.isfinite(new):
            error = 0.0 if math.isinf(new) else error
        elif abs(total) >= abs(value):
            error += (total - new) + value
        else:
            error += (value - new) + total
        total = new
    return total + error


def rank(values: Sequence[float], level: float) -> float:
    ordered = sorted(values, key=lambda value: (not math.isnan(value), 0.0 if math.isnan(value) else value))
    if level < 0 or level > 1:
        return math.copysign(math.inf, level)
    place = level * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    with np.errstate(all="ignore"):
        weight = np.float64(place - low)
        return float(np.float64(ordered[low]) * (1 - weight) + np.float64(ordered[high]) * weight)


def grown(values: Sequence[float], *, counter: bool) -> float:
    change = values[-1] - values[0]
    if counter:
        change += sum(old for old, new in itertools.pairwise(values) if new < old)
    return change


def extrapolated(window: Sequence[Sample], end: int, length: int, *, counter: bool) -> float | None:
    if len(window) < 2:
        return None
    values = [value for _, value in window]
    change = grown(values, counter=counter)
    sampled = (window[-1][0] - window[0][0]) / 1000
    mean = sampled / (len(window) - 1)
    before, after = (window[0][0] - end + length) / 1000, (end - window[-1][0]) / 1000
    before = mean / 2 if before >= mean * 1.1 else before
    after = mean / 2 if after >= mean * 1.1 else after
    if counter and change > 0 and values[0] >= 0:
        before = min(before, sampled * (values[0] / change))
    return change * ((sampled + before + after) / sampled)


def fitted(window: Sequence[Sample], at: int) -> tuple[float, float]:
    """Slope a second and the value at ``at``."""
    times = [(time - at) / 1000 for time, _ in window]
    values = [value for _, value in window]
    mean_x, mean_y = sum(times) / len(times), sum(values) / len(values)
    spread = sum((time - mean_x) ** 2 for time in times)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(times, values, strict=True)) / spread
    return slope, mean_y - slope * mean_x
