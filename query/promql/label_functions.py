"""Functions that change or sort by labels: ``label_replace``, ``label_join``, ``sort_by_label``."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from query.promql.errors import ExecutionError
from query.promql.labelsets import NAME, changed
from query.promql.matrix import Matrix
from query.promql.merging import merged
from query.promql.selection import rows
from query.promql.series import Labels
from vigla.prometheus.regex import RegexError, compile_regex, expanded, utf8

_DIGITS = re.compile(r"(\d+)")


def label_replace(vector: Matrix, target: str, replacement: str, source: str, pattern: str) -> Matrix:
    """Set ``target`` to ``replacement`` where the value of ``source`` matches as a whole.

    Raises:
        ExecutionError: the pattern or the label's name is wrong, or two series become the same.
    """
    try:
        compiled: Any = compile_regex(pattern)
    except RegexError as error:
        raise ExecutionError(f"invalid regular expression in label_replace(): {pattern}") from error
    _check(target, "destination", "label_replace")
    values: dict[str, str | None] = {}

    def replaced(value: str) -> str | None:
        if value not in values:
            found = compiled.fullmatch(utf8(value))
            values[value] = None if found is None else expanded(replacement, found)
        return values[value]

    return _relabelled(vector, target, [replaced(dict(own).get(source, "")) for own in vector.labels])


def label_join(vector: Matrix, target: str, separator: str, sources: Sequence[str]) -> Matrix:
    """Set ``target`` to the values of ``sources`` with the separator between them.

    Raises:
        ExecutionError: a label's name is wrong, or two series become the same.
    """
    for source in sources:
        _check(source, "source", "label_join")
    _check(target, "destination", "label_join")
    joined: list[str | None] = []
    for own in vector.labels:
        values = dict(own)
        joined.append(separator.join(values.get(source, "") for source in sources))
    return _relabelled(vector, target, joined)


def sorted_by_labels(vector: Matrix, names: Sequence[str], *, descending: bool) -> Matrix:
    """Elements in the natural order of these labels' values, then of all their labels."""

    def key(row: int) -> tuple[object, ...]:
        values = dict(vector.labels[row])
        return (*(_natural(values.get(name, "")) for name in names), vector.labels[row])

    order = sorted(range(len(vector.labels)), key=key, reverse=descending)
    return rows(vector, np.array(order, np.int64))


def _natural(value: str) -> tuple[tuple[int, int, str], ...]:
    """A key by which ``a10`` comes behind ``a9``."""
    parts = (part for part in _DIGITS.split(value) if part)
    return tuple((0, int(part), part) if part.isdigit() else (1, 0, part) for part in parts)


def _check(name: str, role: str, function: str) -> None:
    if not name or not name.isprintable():
        raise ExecutionError(f"invalid {role} label name in {function}(): {name}")


def _relabelled(vector: Matrix, target: str, values: Sequence[str | None]) -> Matrix:
    labels: list[Labels] = []
    marked = vector.drop_name.copy()
    for row, (own, value) in enumerate(zip(vector.labels, values, strict=True)):
        labels.append(own if value is None else changed(own, target, value))
        if value is not None and target == NAME:
            marked[row] = False
    return merged(Matrix(labels, vector.values, vector.present, vector.histograms, marked))
