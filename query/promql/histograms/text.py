"""Histograms as text: the test notation ``{{schema:0 count:4 buckets:[1 2 1]}}`` and the form in labels."""

import re

import numpy as np

from query.promql.histogram import CUSTOM_BUCKETS, Buckets, Histogram, ResetHint
from query.promql.histograms.layout import is_custom, negative_edges, positive_edges
from query.promql.histograms.numbers import general
from vigla.errors import QueryError

_FIELD = re.compile(r"\s*(?P<name>[a-z_]+)\s*:\s*(?:\[(?P<list>[^\]]*)\]|(?P<value>[^\s\[\]]+))")
_HINTS: dict[str, ResetHint] = {
    "unknown": "unknown",
    "reset": "reset",
    "not_reset": "not_reset",
    "gauge": "gauge",
}
_LISTS = {"buckets", "n_buckets", "custom_values"}
_NUMBERS = {"schema", "sum", "count", "z_bucket", "z_bucket_w", "offset", "n_offset"}


def parse_notation(text: str) -> Histogram:
    """Read ``{{field:value ...}}``.

    Args:
        text: fields schema, sum, count, z_bucket, z_bucket_w, buckets, n_buckets, offset, n_offset,
            custom_values and counter_reset_hint, in any order; all optional.

    Raises:
        QueryError: an unknown or repeated field, or a value of the wrong kind.
    """
    inner = text.strip()
    if not (inner.startswith("{{") and inner.endswith("}}")):
        raise QueryError(f"a histogram is written {{{{field:value ...}}}}, not {text}")
    lists, numbers, hint = _fields(inner[2:-2].rstrip())
    schema, first = int(numbers.get("schema", 0)), int(numbers.get("offset", 0))
    if schema != CUSTOM_BUCKETS and lists.get("custom_values"):
        raise QueryError(f"custom_values go with schema:{CUSTOM_BUCKETS}, not with schema:{schema}")
    return Histogram(
        schema=schema,
        zero_threshold=numbers.get("z_bucket_w", 0.0),
        zero_count=numbers.get("z_bucket", 0.0),
        count=numbers.get("count", 0.0),
        sum=numbers.get("sum", 0.0),
        positive=Buckets(first, np.array(lists.get("buckets", ()), np.float64)),
        negative=Buckets(int(numbers.get("n_offset", 0)), np.array(lists.get("n_buckets", ()), np.float64)),
        bounds=lists.get("custom_values", ()),
        hint=hint,
    )


def _fields(inner: str) -> tuple[dict[str, tuple[float, ...]], dict[str, float], ResetHint]:
    lists: dict[str, tuple[float, ...]] = {}
    numbers: dict[str, float] = {}
    hint: ResetHint = "unknown"
    seen: set[str] = set()
    position = 0
    while position < len(inner):
        field = _FIELD.match(inner, position)
        if field is None:
            raise QueryError(f"expected field:value in a histogram, found {inner[position:].strip()!r}")
        name, position = field["name"], field.end()
        if name in seen:
            raise QueryError(f"the histogram field {name} is given twice")
        seen.add(name)
        if name in _LISTS and field["list"] is not None:
            lists[name] = tuple(_number(item) for item in field["list"].split())
        elif name in _NUMBERS and field["value"] is not None:
            numbers[name] = _number(field["value"])
        elif name == "counter_reset_hint" and field["value"] in _HINTS:
            hint = _HINTS[field["value"]]
        else:
            raise QueryError(f"{field[0].strip()} is no histogram field with a value of its kind")
    return lists, numbers, hint


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as exc:
        raise QueryError(f"{text} in a histogram is no number") from exc


def to_notation(histogram: Histogram) -> str:
    """The test notation of a histogram; fields with their default are left out."""
    fields: list[str] = []
    for name, value in (
        ("schema", histogram.schema),
        ("count", histogram.count),
        ("sum", histogram.sum),
        ("z_bucket", histogram.zero_count),
        ("z_bucket_w", histogram.zero_threshold),
    ):
        if value != 0:
            fields.append(f"{name}:{general(value)}")
    if histogram.bounds:
        fields.append(f"custom_values:{_listed(histogram.bounds)}")
    if histogram.hint != "unknown":
        fields.append(f"counter_reset_hint:{histogram.hint}")
    for prefix, side in (("", histogram.positive), ("n_", histogram.negative)):
        if len(side.counts):
            if side.first:
                fields.append(f"{prefix}offset:{side.first}")
            fields.append(f"{prefix}buckets:{_listed(side.counts.tolist())}")
    return "{{" + " ".join(fields) + "}}"


def _listed(values: tuple[float, ...] | list[float]) -> str:
    return "[" + " ".join(map(general, values)) + "]"


def to_label(histogram: Histogram) -> str:
    """The form ``count_values`` puts into a label: ``{count:5, sum:10, [-2,-1):2, (1,2]:2}``."""
    parts = [f"count:{general(histogram.count)}", f"sum:{general(histogram.sum)}"]
    inner, outer = negative_edges(histogram)
    negative = histogram.negative.counts
    parts.extend(
        f"[{general(-outer[index])},{general(-inner[index])}):{general(negative[index])}"
        for index in np.flatnonzero(negative)[::-1]
    )
    if histogram.zero_count:
        width = general(histogram.zero_threshold)
        parts.append(f"[-{width},{width}]:{general(histogram.zero_count)}")
    lower, upper = positive_edges(histogram)
    positive = histogram.positive.counts
    for index in np.flatnonzero(positive):
        opening = "[" if is_custom(histogram) and np.isneginf(lower[index]) else "("
        parts.append(f"{opening}{general(lower[index])},{general(upper[index])}]:{general(positive[index])}")
    return "{" + ", ".join(parts) + "}"
