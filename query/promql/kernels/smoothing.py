"""double_exponential_smoothing (Holt's linear method)."""

import numpy as np

from query.promql.kernels.call import Floats, Ints
from query.promql.kernels.notes import ArgumentError
from query.promql.matrix import Windows


def check_factors(smoothing: Floats, trend: Floats) -> None:
    """Raise ArgumentError unless both factors lie between 0 and 1, bounds excluded."""
    for kind, factors, symbol in (("smoothing", smoothing, "sf"), ("trend", trend, "tf")):
        wrong = factors[~((factors > 0) & (factors < 1))]
        if wrong.size:
            raise ArgumentError(f"invalid {kind} factor. Expected: 0 < {symbol} < 1, got: {wrong[0]:f}")


def smooth(windows: Windows, smoothing: Floats, trend: Floats) -> Floats:
    """float64 [S, T]: smoothed last value.

    Args:
        windows: without histograms.
        smoothing: float64 [T], weight of new values, between 0 and 1.
        trend: float64 [T], weight of new slopes, between 0 and 1.
    """
    constant = bool((smoothing == smoothing[:1]).all() and (trend == trend[:1]).all())
    if constant and len(smoothing) and np.isfinite(windows.batch.values).all():
        return _by_blocks(windows, float(smoothing[0]), float(trend[0]))
    return _in_turn(windows, smoothing, trend)


def _by_blocks(windows: Windows, smoothing: float, trend: float) -> Floats:
    """The recurrence is linear in level, last change of level, and slope, with one matrix for all samples.

    So what a block of 2, 4, 8 .. samples adds is computed once, and a window of n samples takes 2 log2(n) of
    them: ``O(N + W log(length))``.
    """
    values = windows.batch.values
    low, high = windows.first.ravel(), windows.last.ravel()
    enough = np.flatnonzero(high - low >= 2)  # noqa: PLR2004 - one sample has no trend
    result = np.full(len(low), np.nan)
    low, high = low[enough], high[enough]
    slope = values[low + 1] - values[low]
    state = np.stack([values[low + 1], slope, slope])
    result[enough] = _applied(_Levels(values, smoothing, trend), low + 2, high, state)[0]
    return result.reshape(windows.first.shape)


class _Levels:
    """What aligned blocks of samples add to the state, and the matrix of so many steps.

    Level k has blocks of 2**k samples; they are made when a window is long enough for them.
    """

    def __init__(self, values: Floats, smoothing: float, trend: float) -> None:
        keep, hold = 1 - smoothing, 1 - trend
        one = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, trend, hold]])
        one[0] = [keep, keep * trend, keep * hold]
        one[1] = one[0] - [1.0, 0.0, 0.0]
        self.matrices = [one]
        self.added = [np.stack([smoothing * values, smoothing * values, np.zeros(len(values))])]

    def grow(self) -> None:
        """Add a level."""
        last, matrix = self.added[-1], self.matrices[-1]
        even = last[:, : last.shape[1] // 2 * 2]
        self.added.append(matrix @ even[:, 0::2] + even[:, 1::2])
        self.matrices.append(matrix @ matrix)

    def step(self, level: int, state: Floats, blocks: Ints) -> Floats:
        """States [3, W] after one block each."""
        found: Floats = self.matrices[level] @ state + self.added[level][:, blocks]
        return found


def _applied(levels: _Levels, low: Ints, high: Ints, state: Floats) -> Floats:
    """States after the samples ``low:high``: blocks that grow from the left, then shrink to the right."""
    low, high = low.copy(), np.maximum(low, high)
    behind: list[tuple[Ints, Ints]] = []
    level = 0
    active = np.flatnonzero(low < high)
    while active.size:
        odd = active[(low[active] & 1) == 1]
        state[:, odd] = levels.step(level, state[:, odd], low[odd])
        low[odd] += 1
        odd = active[((high[active] & 1) == 1) & (low[active] < high[active])]
        high[odd] -= 1
        behind.append((odd, high[odd]))
        low[active] >>= 1
        high[active] >>= 1
        active = active[low[active] < high[active]]
        level += 1
        if active.size:
            levels.grow()
    for number in range(len(behind) - 1, -1, -1):
        rows, blocks = behind[number]
        state[:, rows] = levels.step(number, state[:, rows], blocks)
    return state


def _in_turn(windows: Windows, smoothing: Floats, trend: Floats) -> Floats:
    """Sample after sample, over all windows side by side."""
    shape = windows.first.shape
    first, size = windows.first.ravel(), (windows.last - windows.first).ravel()
    order = np.argsort(-size, kind="stable")
    order = order[size[order] >= 2]  # noqa: PLR2004 - one sample has no trend
    result = np.full(len(first), np.nan)
    if not order.size:
        return result.reshape(shape)
    first, size, values = first[order], size[order], windows.batch.values
    weight = np.broadcast_to(smoothing, shape).ravel()[order]
    trend_weight = np.broadcast_to(trend, shape).ravel()[order]
    level, previous = values[first], values[first]
    with np.errstate(all="ignore"):
        growth = values[first + 1] - values[first]
        for position in range(1, int(size.max())):
            running = slice(0, int(np.searchsorted(-size, -position, side="left")))
            if position > 1:
                newer = trend_weight[running] * (level[running] - previous[running])
                growth[running] = newer + (1 - trend_weight[running]) * growth[running]
            previous[running] = level[running]
            sample = values[first[running] + position]
            level[running] = weight[running] * sample + (1 - weight[running]) * (
                level[running] + growth[running]
            )
    result[order] = level
    return result.reshape(shape)
