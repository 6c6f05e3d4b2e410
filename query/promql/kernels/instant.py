"""Functions of each value of an instant vector: rounding, logarithms, angles, bounds and calendar."""

from collections.abc import Callable, Mapping

import numpy as np

from query.promql.kernels import calendar
from query.promql.kernels.call import Floats

InstantFunction = Callable[..., Floats]


def _quiet(function: Callable[[Floats], Floats]) -> InstantFunction:
    """Without NumPy's warnings: NaN and infinities are results as others."""

    def evaluate(values: Floats) -> Floats:
        with np.errstate(all="ignore"):
            return np.asarray(function(values), dtype=np.float64)

    return evaluate


def round_to(values: Floats, nearest: Floats | float = 1.0) -> Floats:
    """The nearest multiple of ``nearest`` (float64 [T]), the upper of two."""
    with np.errstate(all="ignore"):
        inverse = 1.0 / np.asarray(nearest, dtype=np.float64)
        return np.asarray(np.floor(values * inverse + 0.5) / inverse, dtype=np.float64)


def clamp(values: Floats, low: Floats, high: Floats) -> Floats:
    """Values between ``low`` and ``high`` (float64 [T]); the engine drops all where low > high."""
    return np.asarray(np.maximum(low, np.minimum(high, values)), dtype=np.float64)


def clamp_min(values: Floats, low: Floats) -> Floats:
    """Values of at least ``low`` (float64 [T]); NaN where either is."""
    return np.asarray(np.maximum(low, values), dtype=np.float64)


def clamp_max(values: Floats, high: Floats) -> Floats:
    """Values of at most ``high`` (float64 [T]); NaN where either is."""
    return np.asarray(np.minimum(high, values), dtype=np.float64)


def sign(values: Floats) -> Floats:
    """-1, 0 or 1; zeros and NaN stay as they are."""
    return np.where(values < 0, -1.0, np.where(values > 0, 1.0, values))


INSTANT_FUNCTIONS: Mapping[str, InstantFunction] = {
    "abs": _quiet(np.abs),
    "acos": _quiet(np.arccos),
    "acosh": _quiet(np.arccosh),
    "asin": _quiet(np.arcsin),
    "asinh": _quiet(np.arcsinh),
    "atan": _quiet(np.arctan),
    "atanh": _quiet(np.arctanh),
    "ceil": _quiet(np.ceil),
    "clamp": clamp,
    "clamp_max": clamp_max,
    "clamp_min": clamp_min,
    "cos": _quiet(np.cos),
    "cosh": _quiet(np.cosh),
    "day_of_month": calendar.day_of_month,
    "day_of_week": calendar.day_of_week,
    "day_of_year": calendar.day_of_year,
    "days_in_month": calendar.days_in_month,
    "deg": _quiet(lambda values: values * (180.0 / np.pi)),
    "exp": _quiet(np.exp),
    "floor": _quiet(np.floor),
    "hour": calendar.hour,
    "ln": _quiet(np.log),
    "log10": _quiet(np.log10),
    "log2": _quiet(np.log2),
    "minute": calendar.minute,
    "month": calendar.month,
    "rad": _quiet(lambda values: values * (np.pi / 180.0)),
    "round": round_to,
    "sgn": sign,
    "sin": _quiet(np.sin),
    "sinh": _quiet(np.sinh),
    "sqrt": _quiet(np.sqrt),
    "tan": _quiet(np.tan),
    "tanh": _quiet(np.tanh),
    "year": calendar.year,
}
"""Values float64 [S, T], parameters float64 [T] to values float64 [S, T]; the engine drops histograms."""
