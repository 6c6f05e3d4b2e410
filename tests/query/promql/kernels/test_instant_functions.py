"""Instant functions against Python's math and datetime."""

import datetime as dt
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.promql.kernels.instant import INSTANT_FUNCTIONS

MOMENTS = st.integers(-60_000_000_000, 250_000_000_000)


@given(MOMENTS)
def test_calendar(moment: int):
    at = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=moment)
    following = at.replace(day=28) + dt.timedelta(days=4)
    expected = {
        "year": at.year,
        "month": at.month,
        "day_of_month": at.day,
        "day_of_year": at.timetuple().tm_yday,
        "day_of_week": at.isoweekday() % 7,
        "days_in_month": (following - dt.timedelta(days=following.day)).day,
        "hour": at.hour,
        "minute": at.minute,
    }
    values = np.array([[float(moment)]])
    assert {name: INSTANT_FUNCTIONS[name](values)[0, 0] for name in expected} == expected


@pytest.mark.parametrize(
    ("name", "function"),
    [("ln", math.log), ("log2", math.log2), ("sqrt", math.sqrt), ("atan", math.atan), ("deg", math.degrees)],
)
def test_mathematics(name: str, function: Callable[[float], float]):
    assert INSTANT_FUNCTIONS[name](np.array([[0.5, 2.0]]))[0].tolist() == pytest.approx(
        [function(0.5), function(2)]
    )


def test_logarithms_of_numbers_outside():
    values = INSTANT_FUNCTIONS["ln"](np.array([[0.0, -1.0]]))[0]
    assert values[0] == -math.inf
    assert math.isnan(values[1])


def test_rounding_takes_the_upper_of_two():
    assert INSTANT_FUNCTIONS["round"](np.array([[-0.5, 0.5, 1.5]])).tolist() == [[0.0, 1.0, 2.0]]
    assert INSTANT_FUNCTIONS["round"](np.array([[7.0]]), np.array([5.0])).tolist() == [[5.0]]


def test_bounds():
    values, bound = np.array([[-2.0, 3.0, math.nan]]), np.array([1.0])
    assert INSTANT_FUNCTIONS["clamp_min"](values, bound)[0, :2].tolist() == [1.0, 3.0]
    assert INSTANT_FUNCTIONS["clamp_max"](values, bound)[0, :2].tolist() == [-2.0, 1.0]
    assert math.isnan(INSTANT_FUNCTIONS["clamp"](values, bound, bound + 1)[0, 2])
    assert INSTANT_FUNCTIONS["sgn"](values)[0, :2].tolist() == [-1.0, 1.0]
