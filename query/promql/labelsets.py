"""Label sets of results: without the name, cut to a grouping, compared by what is left."""

from collections.abc import Collection, Sequence

from query.promql.gotext import quote
from query.promql.series import Labels

NAME = "__name__"
OF_THE_NAME = frozenset({NAME, "__type__", "__unit__"})
"""Labels that describe the metric: a result that is another metric has none of them."""


def name_of(labels: Labels) -> str:
    """The metric's name; empty: it has none."""
    return next((value for name, value in labels if name == NAME), "")


def without_name(labels: Labels) -> Labels:
    """The labels that do not describe the metric."""
    return tuple(pair for pair in labels if pair[0] not in OF_THE_NAME)


def kept(labels: Labels, names: Collection[str]) -> Labels:
    """Only these labels."""
    return tuple(pair for pair in labels if pair[0] in names)


def left(labels: Labels, names: Collection[str]) -> Labels:
    """All but these labels, and but those that describe the metric."""
    return tuple(pair for pair in labels if pair[0] not in names and pair[0] not in OF_THE_NAME)


def changed(labels: Labels, name: str, value: str) -> Labels:
    """With another value of one label; an empty one takes it away."""
    rest = [pair for pair in labels if pair[0] != name]
    return tuple(sorted([*rest, (name, value)])) if value else tuple(rest)


def numbered(keys: Sequence[Labels]) -> tuple[list[int], list[Labels]]:
    """For each key its number among the different ones, and these in the order they come."""
    numbers: dict[Labels, int] = {}
    rows = [numbers.setdefault(key, len(numbers)) for key in keys]
    return rows, list(numbers)


def shown(labels: Labels) -> str:
    """As Prometheus' messages show label sets."""
    return "{" + ", ".join(f"{name}={quote(value)}" for name, value in labels) + "}"
