"""Names of OpenTelemetry's metrics and attributes as Prometheus writes them.

Source: OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility"; Prometheus' translation
strategies of its OTLP receiver.
"""

import re
from functools import lru_cache
from typing import Literal, TypeAlias

from vigla.settings import MetricNames

Strategy: TypeAlias = MetricNames
Kind = Literal["gauge", "counter", "other"]
"""What decides a metric's suffix: ``other`` are histograms, summaries, and sums that may fall."""

_UNITS = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "%": "percent",
    "1": "",
}
_PER = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9:]+")
_NOT_IN_LABELS = re.compile(r"[^a-zA-Z0-9_]")
_CACHED = 100_000


@lru_cache(_CACHED)
def metric_name(name: str, unit: str, kind: Kind, strategy: Strategy) -> str:
    """The metric's name; empty where nothing of it can be written.

    Args:
        name: as the instrument has it.
        unit: in UCUM.
        kind: of the instrument.
        strategy: how it is translated.
    """
    if strategy == "NoTranslation":
        return name
    suffixed = strategy.endswith("WithSuffixes")
    main, per = _unit_tokens(unit) if suffixed else ("", "")
    ratio = suffixed and unit == "1" and kind == "gauge"
    total = suffixed and kind == "counter"
    if strategy == "NoUTF8EscapingWithSuffixes":
        return _appended(name, [main, f"per_{per}" if per else "", "ratio" * ratio], total=total)
    tokens = [token for token in _NOT_IN_NAMES.split(name) if token]
    tokens += [part for part in main.split("_") if part and part not in tokens]
    if per and per not in tokens:
        tokens += ["per", per]
    if total or ratio:
        tokens = [token for token in tokens if token != ("total" if total else "ratio")]
        tokens.append("total" if total else "ratio")
    made = "_".join(tokens)
    return f"_{made}" if made[:1].isdigit() else made


def _appended(name: str, suffixes: list[str], *, total: bool) -> str:
    """The name in its own characters with the suffixes that it does not end in yet."""
    made = name.removesuffix("_total") if total else name
    for suffix in suffixes:
        if suffix and not made.endswith(suffix):
            made = f"{made}_{suffix}"
    return f"{made}_total" if total else made


def _unit_tokens(unit: str) -> tuple[str, str]:
    """Words of a unit and of what it is per; text in braces is a note, not a unit."""
    main, _, per = unit.partition("/")
    words = [
        "" if "{" in part or "}" in part else known.get(part.strip(), _cleaned(part.strip()))
        for part, known in ((main, _UNITS), (per, _PER))
    ]
    return words[0], words[1]


def unit_name(unit: str) -> str:
    """A unit as metadata tells it: ``bytes_per_second``."""
    main, per = _unit_tokens(unit)
    return "_".join(part for part in (main, "per" if per else "", per) if part)


def _cleaned(text: str) -> str:
    return "_".join(part for part in _NOT_IN_NAMES.split(text) if part)


@lru_cache(_CACHED)
def label_name(key: str, strategy: Strategy) -> str:
    """The label of an attribute."""
    if strategy in {"NoTranslation", "NoUTF8EscapingWithSuffixes"} or not key:
        return key
    name = _NOT_IN_LABELS.sub("_", key)
    if name[0].isdigit():
        return f"key_{name}"
    if name.startswith("_") and not name.startswith("__"):
        return f"key{name}"
    return name
