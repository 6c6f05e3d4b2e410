"""Reductions over many overlapping windows by blocks of 2, 4, 8 ... samples.

Each window is put together from at most ``2 log2(length)`` aligned blocks, so all windows cost
``O(N + W log(length))``. Unlike differences of prefix sums nothing outside of a window touches its result:
there is no cancellation, and an infinity or NaN stays where it is.
"""

from collections.abc import Callable

import numpy as np

from query.promql.kernels.call import Bools, Floats, Ints

State = tuple[Floats, ...]
Combine = Callable[[State, State], State]


def reduce_windows(
    leaves: State, identity: tuple[float, ...], first: Ints, last: Ints, combine: Combine
) -> State:
    """Combine the samples ``first:last`` of each window, from left to right.

    Args:
        leaves: one array [N] per component of the state.
        identity: the state of an empty window; ``combine`` with it changes nothing.
        first: int64 [W].
        last: int64 [W], exclusive.
        combine: associative up to rounding; the left operand comes before the right one.

    Returns:
        One array [W] per component.
    """
    low, high = first.copy(), np.maximum(first, last)
    left = _constant(identity, len(low))
    right = _constant(identity, len(low))
    level = leaves
    active = np.flatnonzero(low < high)
    while active.size:
        odd = active[(low[active] & 1) == 1]
        _put(left, odd, combine(_take(left, odd), _take(level, low[odd])))
        low[odd] += 1
        odd = active[(high[active] & 1) == 1]
        high[odd] -= 1
        _put(right, odd, combine(_take(level, high[odd]), _take(right, odd)))
        low[active] >>= 1
        high[active] >>= 1
        active = active[low[active] < high[active]]
        if active.size:
            level = _halve(level, identity, combine)
    return combine(left, right)


def _constant(identity: tuple[float, ...], size: int) -> State:
    return tuple(np.full(size, value, dtype=np.float64) for value in identity)


def _take(state: State, index: Ints) -> State:
    return tuple(component[index] for component in state)


def _put(state: State, index: Ints, new: State) -> None:
    for component, values in zip(state, new, strict=True):
        component[index] = values


def _halve(level: State, identity: tuple[float, ...], combine: Combine) -> State:
    if len(level[0]) % 2:
        level = tuple(np.append(column, value) for column, value in zip(level, identity, strict=True))
    return combine(tuple(column[0::2] for column in level), tuple(column[1::2] for column in level))


def compensated(left: State, right: State) -> State:
    """Sum and its rounding error: Neumaier's scheme for two partial sums."""
    total = left[0] + right[0]
    larger_left = np.abs(left[0]) >= np.abs(right[0])
    error = np.where(larger_left, (left[0] - total) + right[0], (right[0] - total) + left[0])
    error[~np.isfinite(total)] = 0.0
    return total, left[1] + right[1] + error


def plain_sum(left: State, right: State) -> State:
    """Sum without compensation."""
    return (left[0] + right[0],)


def smallest(left: State, right: State) -> State:
    """Minimum; NaN only where both are."""
    return (np.fmin(left[0], right[0]),)


def largest(left: State, right: State) -> State:
    """Maximum; NaN only where both are."""
    return (np.fmax(left[0], right[0]),)


def moments(left: State, right: State) -> State:
    """Count, mean and sum of squared deviations of two parts (Chan, Golub, LeVeque)."""
    count = left[0] + right[0]
    share = np.divide(right[0], count, out=np.zeros_like(count), where=count > 0)
    delta = np.where((left[0] > 0) & (right[0] > 0), right[1] - left[1], 0.0)
    mean = np.where(left[0] > 0, left[1] + delta * share, right[1])
    return count, mean, left[2] + right[2] + delta * delta * left[0] * share


def co_moments(left: State, right: State) -> State:
    """Count, mean x, mean y, sum of squared deviations of x and of products of deviations."""
    count = left[0] + right[0]
    share = np.divide(right[0], count, out=np.zeros_like(count), where=count > 0)
    both = (left[0] > 0) & (right[0] > 0)
    delta_x = np.where(both, right[1] - left[1], 0.0)
    delta_y = np.where(both, right[2] - left[2], 0.0)
    has_left: Bools = left[0] > 0
    return (
        count,
        np.where(has_left, left[1] + delta_x * share, right[1]),
        np.where(has_left, left[2] + delta_y * share, right[2]),
        left[3] + right[3] + delta_x * delta_x * left[0] * share,
        left[4] + right[4] + delta_x * delta_y * left[0] * share,
    )
