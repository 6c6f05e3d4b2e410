"""Binary operators on aligned elements: arithmetic, comparison, and what they do to histograms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from query.promql.ast import Place
from query.promql.gotext import quote
from query.promql.histogram import Histogram, filled
from query.promql.histograms import noted
from query.promql.histograms.arithmetic import divide, equal, multiply
from query.promql.histograms.notes import Notes, Site
from query.promql.histograms.trim import trim_above, trim_below
from query.promql.kernels.call import Bools, Floats, Objects

COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})
SET_OPERATORS = frozenset({"and", "or", "unless"})

_FLOATS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
ARITHMETIC = frozenset(_FLOATS)
"""Operators whose result is another metric; comparisons filter, and trims cut, the one that there is."""

_CONDITIONS: Mapping[str, Callable[[Floats, Floats], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}


@dataclass(frozen=True, slots=True)
class Operand:
    """Elements [P, T] of one side.

    Attributes:
        values: float64; NaN where there is a histogram.
        histograms: None: there is none.
    """

    values: Floats
    histograms: Objects | None = None

    @property
    def native(self) -> Bools:
        """Where an element is a histogram."""
        if self.histograms is None:
            return np.zeros(self.values.shape, np.bool_)
        return filled(self.histograms)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Elements [P, T].

    Attributes:
        keep: elements that are in the result: not filtered by a comparison, of fitting types.
    """

    values: Floats
    keep: Bools
    histograms: Objects | None = None


def floats(op: str, left: Floats, right: Floats) -> Floats:
    """Numbers by numbers; a comparison gives 1 or 0."""
    with np.errstate(all="ignore"):
        if op in COMPARISONS:
            return _CONDITIONS[op](left, right).astype(np.float64)
        return np.asarray(_FLOATS.get(op, _left)(left, right), np.float64)


def _left(left: Floats, right: Floats) -> Floats:
    """Trims are for histograms; of floats the engine keeps none."""
    del right
    return left


def apply(  # noqa: PLR0913  all of it describes one operation
    op: str, left: Operand, right: Operand, present: Bools, *, result_of: str, notes: Notes, place: Place
) -> Outcome:
    """The operation on each pair.

    Args:
        op: the operator, no set operator.
        left: elements.
        right: elements of the same shape, or one for each step.
        present: where both are.
        result_of: of a comparison: ``left`` or ``right`` keeps that side's values, ``bool`` gives 1 or 0.
        notes: told of pairs that do not fit.
        place: of the operation.
    """
    with np.errstate(all="ignore"):
        condition = np.broadcast_to(_condition(op, left, right), present.shape)
    histograms: Objects | None = None
    values = _values(op, left, right, condition, result_of, present)
    keep = condition & present if op in COMPARISONS and result_of != "bool" else present.copy()
    if op in ("</", ">/"):
        keep &= np.broadcast_to(left.native, present.shape) & ~np.broadcast_to(right.native, present.shape)
    if left.histograms is not None or right.histograms is not None:
        pairs = _Pairs(op, left, right, result_of, notes, place)
        histograms = pairs.fill(values, keep, present)
    elif op in ("</", ">/") and present.any():
        _Pairs(op, left, right, result_of, notes, place).refuse("float", "float")
    return Outcome(values, keep, histograms)


def _condition(op: str, left: Operand, right: Operand) -> Bools:
    if op not in COMPARISONS:
        return np.ones(np.broadcast_shapes(left.values.shape, right.values.shape), np.bool_)
    return _CONDITIONS[op](left.values, right.values)


def _values(  # noqa: PLR0913, PLR0917  all of it describes one operation
    op: str, left: Operand, right: Operand, condition: Bools, result_of: str, present: Bools
) -> Floats:
    if op not in COMPARISONS:
        return np.broadcast_to(floats(op, left.values, right.values), present.shape).copy()
    if result_of == "bool":
        return condition.astype(np.float64)
    return np.broadcast_to((left if result_of == "left" else right).values, present.shape).copy()


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of which at least one is a histogram, one by one."""

    op: str
    left: Operand
    right: Operand
    result_of: str
    notes: Notes
    place: Place

    def fill(self, values: Floats, keep: Bools, present: Bools) -> Objects | None:
        """Correct ``values`` and ``keep`` where histograms are; returns those of the result."""
        shape = present.shape
        sides = [
            np.broadcast_to(
                side.histograms if side.histograms is not None else np.full((), None, object), shape
            )
            for side in (self.left, self.right)
        ]
        lefts, rights = (np.broadcast_to(side.values, shape) for side in (self.left, self.right))
        concerned = present & (filled(sides[0]) | filled(sides[1]))
        results: Objects = np.full(shape, None, object)
        for row, step in np.argwhere(concerned).tolist():
            a = sides[0][row, step] if sides[0][row, step] is not None else float(lefts[row, step])
            b = sides[1][row, step] if sides[1][row, step] is not None else float(rights[row, step])
            found = self._one(a, b)
            keep[row, step] = found is not None
            if isinstance(found, Histogram):
                results[row, step], values[row, step] = found, np.nan
            elif found is not None:
                values[row, step] = found
        return results if filled(results).any() else None

    def _one(self, a: "float | Histogram", b: "float | Histogram") -> "float | Histogram | None":
        if self.op in ("==", "!=") and isinstance(a, Histogram) and isinstance(b, Histogram):
            holds = equal(a, b) == (self.op == "==")
            if self.result_of == "bool":
                return float(holds)
            return (a if self.result_of == "left" else b) if holds else None
        if isinstance(a, Histogram) and isinstance(b, Histogram):
            return self._both(a, b)
        if isinstance(a, Histogram) and isinstance(b, float):
            made = _HISTOGRAM_BY_FLOAT.get(self.op)
            if made is not None:
                return made(a, b)
        elif isinstance(b, Histogram) and isinstance(a, float) and self.op == "*":
            return multiply(b, a)
        self.refuse(_kind(a), _kind(b))
        return None

    def _both(self, a: Histogram, b: Histogram) -> Histogram | None:
        site = Site(self.notes, "", self.place)
        if self.op == "+":
            return noted.plus(a, b, site)
        if self.op == "-":
            return noted.minus(a, b, site)
        self.refuse("histogram", "histogram")
        return None

    def refuse(self, left: str, right: str) -> None:
        """Tell that these types cannot be combined."""
        text = f"incompatible sample types encountered for binary operator {quote(self.op)}"
        self.notes.info(f"{text}: {left} {self.op} {right}", self.place)


_HISTOGRAM_BY_FLOAT: Mapping[str, Callable[[Histogram, float], Histogram]] = {
    "*": multiply,
    "/": divide,
    "</": trim_above,
    ">/": trim_below,
}


def _kind(value: float | Histogram) -> str:
    return "histogram" if isinstance(value, Histogram) else "float"
