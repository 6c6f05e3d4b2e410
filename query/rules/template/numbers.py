"""Numbers for people: the ``humanize`` family, and Go's spelling of values."""

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence

from query.promql.gotext import quote
from query.promql.histograms.numbers import general, scientific
from query.rules.template.ast import TemplateError

_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d*)(?P<precision>\.\d*)?(?P<verb>.)", re.DOTALL)
_LARGE, _BINARY, _SMALL = "kMGTPEZY", ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"], "munpfazy"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def humanize(value: float) -> str:
    """``1.235M``, ``12m``: four digits and an SI prefix."""
    if value == 0 or not math.isfinite(value):
        return _four(value)
    return _scaled(value, _LARGE, 1000) if abs(value) >= 1 else _small(value)


def humanize1024(value: float) -> str:
    """``1.5Gi``."""
    if abs(value) <= 1 or not math.isfinite(value):
        return _four(value)
    return _scaled(value, _BINARY, 1024)


def humanize_duration(value: float) -> str:
    """Seconds as ``1d 2h 3m 4s``, or ``12.5ms``."""
    if not math.isfinite(value):
        return _four(value)
    if value == 0:
        return "0s"
    if abs(value) < 1:
        return _small(value) + "s"
    sign, size = ("-", -value) if value < 0 else ("", value)
    whole = int(size)
    days, hours, minutes = whole // _DAY, whole // _HOUR % 24, whole // _MINUTE % 60
    parts = [f"{days}d", f"{hours}h", f"{minutes}m", f"{whole % 60}s"]
    for first, filled in enumerate((days, hours, minutes)):
        if filled:
            return sign + " ".join(parts[first:])
    return f"{sign}{_four(size)}s"


def humanize_percentage(value: float) -> str:
    """A ratio as ``12.34%``."""
    return _four(value * 100) + "%"


def humanize_timestamp(value: float) -> str:
    """Seconds since the epoch as Go writes a time in UTC."""
    if not math.isfinite(value):
        return _four(value)
    try:
        moment = dt.datetime.fromtimestamp(value, dt.UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise TemplateError(f"{value} cannot be represented as a timestamp") from error
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def spelled(value: object) -> str:
    """A value as ``%v`` writes it."""
    match value:
        case None:
            return "<no value>"
        case bool():
            return "true" if value else "false"
        case float():
            return general(value)
        case dict():
            return "map[" + " ".join(f"{key}:{spelled(value[key])}" for key in sorted(value)) + "]"
        case list() | tuple():
            return "[" + " ".join(map(spelled, value)) + "]"
    return str(value)


def printf(form: str, values: Sequence[object]) -> str:
    """Go's ``Sprintf`` for the verbs v, s, q, d, f, e, g, x, t and %."""
    left = iter(values)

    def written(found: re.Match[str]) -> str:
        verb = found["verb"]
        if verb == "%":
            return "%"
        value = next(left, _MISSING)
        if value is _MISSING:
            return f"%!{verb}(MISSING)"
        return _padded(found, _verb(found, verb, value))

    text = _VERB.sub(written, form)
    extra = [f"{_kind(value)}={spelled(value)}" for value in left]
    return text + (f"%!(EXTRA {', '.join(extra)})" if extra else "")


_MISSING = object()


def _verb(found: re.Match[str], verb: str, value: object) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    writers: dict[str, tuple[bool, Callable[[], str]]] = {
        "v": (True, lambda: spelled(value)),
        "s": (not number, lambda: spelled(value)),
        "q": (isinstance(value, str), lambda: quote(str(value))),
        "t": (isinstance(value, bool), lambda: spelled(value)),
        "d": (isinstance(value, int) and number, lambda: str(value)),
        "x": (isinstance(value, int) and number, lambda: f"{value:x}"),
        **{each: (isinstance(value, float), lambda: _float(found, verb, value)) for each in "feEgGF"},
    }
    fits, write = writers.get(verb, (False, str))
    return write() if fits else f"%!{verb}({_kind(value)}={spelled(value)})"


def _float(found: re.Match[str], verb: str, value: object) -> str:
    assert isinstance(value, float)  # noqa: S101  the verbs are of floats
    sign = "+" if "+" in found["flags"] and value >= 0 else ""
    if not math.isfinite(value):
        return spelled(value)
    if found["precision"] is None and verb in "gG":
        return sign + general(value)
    digits = int(found["precision"][1:] or 0) if found["precision"] else 6
    if verb in "eE" and found["precision"] is None:
        return sign + f"{value:.6{verb}}"
    return sign + f"{value:.{digits}{verb}}"


def _padded(found: re.Match[str], text: str) -> str:
    width = int(found["width"] or 0)
    if "-" in found["flags"]:
        return text.ljust(width)
    if "0" in found["flags"] and text.lstrip("+-")[:1].isdigit():
        return text.zfill(width)
    return text.rjust(width)


def _kind(value: object) -> str:
    match value:
        case bool():
            return "bool"
        case float():
            return "float64"
        case int():
            return "int"
        case str():
            return "string"
    return type(value).__name__


def _four(value: float) -> str:
    """``%.4g``."""
    return f"{value:.4g}" if math.isfinite(value) else scientific(value)


def _scaled(value: float, prefixes: Sequence[str], base: int) -> str:
    prefix = ""
    for each in prefixes:
        if abs(value) < base:
            break
        prefix, value = each, value / base
    return _four(value) + prefix


def _small(value: float) -> str:
    prefix = ""
    for each in _SMALL:
        if abs(value) >= 1:
            break
        prefix, value = each, value * 1000
    return _four(value) + prefix
