"""Calendar fields (UTC, proleptic Gregorian) of times given as seconds since the epoch."""

import numpy as np
import numpy.typing as npt

from query.promql.kernels.call import Floats, Ints

_DAY = 86_400
_DAYS_OF_ERA = 146_097
_EPOCH_WEEKDAY = 4
_LIMIT = 1e17
"""Seconds beyond which the day arithmetic would leave int64."""


def _seconds(values: Floats) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Whole seconds, fractions cut off, and where the value is a time at all."""
    known = np.abs(values) < _LIMIT
    return np.where(known, values, 0.0).astype(np.int64), known


def _fields(values: Floats) -> tuple[Ints, Ints, Ints, Ints, npt.NDArray[np.bool_]]:
    """Days since the epoch, year, month (1 to 12), day of month.

    Years begin in March within eras of 400 years, so that the leap day comes last
    (days_from_civil, H. Hinnant).
    """
    seconds, known = _seconds(values)
    days = seconds // _DAY
    shifted = days + 719_468
    era = shifted // _DAYS_OF_ERA
    of_era = shifted - era * _DAYS_OF_ERA
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * of_year + 2) // 153
    day = of_year - (153 * march_month + 2) // 5 + 1
    month = np.where(march_month < 10, march_month + 3, march_month - 9)  # noqa: PLR2004 - January follows
    return days, year_of_era + era * 400 + (month <= 2), month, day, known  # noqa: PLR2004 - January, February


def _is_leap(years: Ints) -> npt.NDArray[np.bool_]:
    return np.asarray((years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0)), dtype=np.bool_)


def _result(field: Ints, known: npt.NDArray[np.bool_]) -> Floats:
    return np.where(known, field, np.nan).astype(np.float64)


def year(values: Floats) -> Floats:
    """The year."""
    _, years, _, _, known = _fields(values)
    return _result(years, known)


def month(values: Floats) -> Floats:
    """1 to 12."""
    _, _, months, _, known = _fields(values)
    return _result(months, known)


def day_of_month(values: Floats) -> Floats:
    """1 to 31."""
    _, _, _, days, known = _fields(values)
    return _result(days, known)


def day_of_year(values: Floats) -> Floats:
    """1 to 366."""
    _, years, months, days, known = _fields(values)
    before = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])[months]
    return _result(before + days + (_is_leap(years) & (months > 2)), known)  # noqa: PLR2004 - after February


def days_in_month(values: Floats) -> Floats:
    """28 to 31."""
    _, years, months, _, known = _fields(values)
    lengths = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[months]
    return _result(lengths + (_is_leap(years) & (months == 2)), known)  # noqa: PLR2004 - February


def day_of_week(values: Floats) -> Floats:
    """0 (Sunday) to 6."""
    seconds, known = _seconds(values)
    return _result((seconds // _DAY + _EPOCH_WEEKDAY) % 7, known)


def hour(values: Floats) -> Floats:
    """0 to 23."""
    seconds, known = _seconds(values)
    return _result(seconds % _DAY // 3600, known)


def minute(values: Floats) -> Floats:
    """0 to 59."""
    seconds, known = _seconds(values)
    return _result(seconds % 3600 // 60, known)
