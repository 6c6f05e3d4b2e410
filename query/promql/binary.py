"""Binary operations between vectors: which elements belong together, and what they give."""

from dataclasses import dataclass

import numpy as np

from query.promql.ast import Binary, Matching
from query.promql.context import Context
from query.promql.errors import ExecutionError
from query.promql.kernels.call import Bools, Floats, Ints, Objects
from query.promql.labelsets import OF_THE_NAME, changed, kept, left, numbered, shown
from query.promql.matrix import Matrix
from query.promql.merging import merged
from query.promql.operators import ARITHMETIC, Operand, Outcome, apply
from query.promql.selection import trimmed
from query.promql.series import Labels

_EXPLICIT = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
_UNIQUE = "multiple matches for labels: grouping labels must ensure unique matches"


def with_scalar(context: Context, expr: Binary, vector: Matrix, scalar: Floats, *, swapped: bool) -> Matrix:
    """A vector with a number at each step.

    Args:
        context: of the query.
        expr: the operation.
        vector: one side.
        scalar: float64 [T], the other side.
        swapped: the scalar is on the left.
    """
    elements, number = Operand(vector.values, vector.histograms), Operand(scalar[None, :])
    sides = (number, elements) if swapped else (elements, number)
    result_of = "bool" if expr.return_bool else "right" if swapped else "left"
    found = apply(expr.op, *sides, vector.present, result_of=result_of, notes=context.notes, place=expr.place)
    drops = expr.op in ARITHMETIC or expr.return_bool
    marked = vector.drop_name | drops
    return trimmed(Matrix(vector.labels, found.values, found.keep, found.histograms, marked))


def set_operation(expr: Binary, left_side: Matrix, right_side: Matrix) -> Matrix:
    """``and``, ``or``, ``unless``."""
    matching = expr.matching or Matching(cardinality="many-to-many")
    numbers, keys = numbered([_key(matching, m) for m in (*left_side.labels, *right_side.labels)])
    split = len(left_side.labels)
    lefts, rights = np.array(numbers[:split], np.int64), np.array(numbers[split:], np.int64)
    if expr.op == "or":
        there = _somewhere(left_side.present, lefts, len(keys))
        rest = right_side.present & ~there[rights]
        return stacked(left_side, Matrix(right_side.labels, right_side.values, rest, *_rest(right_side)))
    there = _somewhere(right_side.present, rights, len(keys))[lefts]
    present = left_side.present & (there if expr.op == "and" else ~there)
    return trimmed(Matrix(left_side.labels, left_side.values, present, *_rest(left_side)))


def _rest(matrix: Matrix) -> tuple[Objects | None, Bools]:
    return matrix.histograms, matrix.drop_name


def _somewhere(present: Bools, numbers: Ints, size: int) -> Bools:
    """Bool [K, T]: an element of this key is present."""
    found = np.zeros((size, present.shape[1]), np.bool_)
    np.logical_or.at(found, numbers, present)
    return found


def stacked(first: Matrix, second: Matrix) -> Matrix:
    """The series of both."""
    histograms: Objects | None = None
    if first.histograms is not None or second.histograms is not None:
        histograms = np.concatenate(
            [
                m.histograms if m.histograms is not None else np.full(m.values.shape, None, object)
                for m in (first, second)
            ]
        )
    return trimmed(
        Matrix(
            [*first.labels, *second.labels],
            np.concatenate([first.values, second.values]),
            np.concatenate([first.present, second.present]),
            histograms,
            np.concatenate([first.drop_name, second.drop_name]),
        )
    )


def _key(matching: Matching, labels: Labels) -> Labels:
    return kept(labels, matching.labels) if matching.on else left(labels, matching.labels)


def between_vectors(context: Context, expr: Binary, left_side: Matrix, right_side: Matrix) -> Matrix:
    """Arithmetic and comparison of matching elements.

    Raises:
        ExecutionError: more than one element of a side that must have one matches.
    """
    matching = expr.matching or Matching()
    return _Join(context, expr, matching, left_side, right_side).result()


@dataclass(frozen=True, slots=True)
class _Join:
    """``many`` is the left side but for ``group_right``; ``one`` the other."""

    context: Context
    expr: Binary
    matching: Matching
    left_side: Matrix
    right_side: Matrix

    @property
    def _swapped(self) -> bool:
        return self.matching.cardinality == "one-to-many"

    def result(self) -> Matrix:
        many, one = self.left_side, self.right_side
        if self._swapped:
            many, one = one, many
        # With group_right, too, Prometheus takes the many side for the left one here.
        fill_many, fill_one = self.matching.fill_left, self.matching.fill_right
        numbers, keys = numbered([_key(self.matching, m) for m in (*many.labels, *one.labels)])
        of_many = np.array(numbers[: len(many.labels)], np.int64)
        of_one = np.array(numbers[len(many.labels) :], np.int64)
        self._check_one(one, of_one, keys)
        parts = [self._pairs(many, one, of_many, of_one)]
        if fill_one is not None:
            missing = many.present & ~_somewhere(one.present, of_one, len(keys))[of_many]
            parts.append(self._filled(many, missing, fill_one, many_is_real=True))
        if fill_many is not None:
            missing = one.present & ~_somewhere(many.present, of_many, len(keys))[of_one]
            parts.append(self._filled(one, missing, fill_many, many_is_real=False))
        whole = parts[0]
        for part in parts[1:]:
            whole = stacked(whole, part)
        return merged(whole, _UNIQUE if self.matching.cardinality != "one-to-one" else _EXPLICIT)

    def _check_one(self, one: Matrix, numbers: Ints, keys: list[Labels]) -> None:
        """No key has two elements at one step on the side that must have one."""
        if len(set(numbers.tolist())) == len(numbers):
            return
        met = np.zeros((len(keys), one.present.shape[1]), np.int64)
        np.add.at(met, numbers, one.present)
        doubled = np.argwhere(met > 1)
        if not len(doubled):
            return
        key, step = doubled[0].tolist()
        found = [r for r in np.flatnonzero(numbers == key).tolist() if one.present[r, step]]
        shown_ = ", ".join(shown(one.labels[r]) for r in found[:2])
        side = "left" if self._swapped else "right"
        raise ExecutionError(
            f"found duplicate series for the match group {shown(keys[key])} on the {side} hand-side of the "
            f"operation: [{shown_}];many-to-many matching not allowed: "
            "matching labels must be unique on one side"
        )

    def _pairs(self, many: Matrix, one: Matrix, of_many: Ints, of_one: Ints) -> Matrix:
        """All pairs with one key."""
        many_rows, one_rows = _paired(of_many, of_one)
        present = many.present[many_rows] & one.present[one_rows]
        sides = _operand(many, many_rows), _operand(one, one_rows)
        found = self._apply(sides[::-1] if self._swapped else sides, present)
        if self.matching.cardinality == "one-to-one":
            self._check_many(present, of_many[many_rows])
        pairs = zip(many_rows.tolist(), one_rows.tolist(), strict=True)
        labels = [self._labels(many.labels[m], one.labels[o]) for m, o in pairs]
        marked = many.drop_name[many_rows] | self._drops
        return trimmed(Matrix(labels, found.values, found.keep, found.histograms, marked))

    def _check_many(self, present: Bools, keys: Ints) -> None:
        """One element of each side at a step, even where a comparison filters the result."""
        if len(set(keys.tolist())) == len(keys):
            return
        met = np.zeros((int(keys.max()) + 1, present.shape[1]), np.int64)
        np.add.at(met, keys, present)
        if (met > 1).any():
            raise ExecutionError(_EXPLICIT)

    def _filled(self, real: Matrix, missing: Bools, value: float, *, many_is_real: bool) -> Matrix:
        """Elements without a partner, with a number in its place."""
        chosen = np.flatnonzero(missing.any(axis=1))
        present = missing[chosen]
        sides = _operand(real, chosen), Operand(np.full((1, real.values.shape[1]), value))
        real_is_left = many_is_real != self._swapped
        found = self._apply(sides if real_is_left else sides[::-1], present)
        own = [real.labels[row] for row in chosen.tolist()]
        if many_is_real:
            labels = [self._labels(m, ()) for m in own]
        else:  # what is known of the absent series is the key
            labels = [self._labels(_key(self.matching, m), m) for m in own]
        marked = real.drop_name[chosen] | self._drops
        return trimmed(Matrix(labels, found.values, found.keep, found.histograms, marked))

    @property
    def _drops(self) -> bool:
        return self.expr.op in ARITHMETIC or self.expr.return_bool

    def _apply(self, sides: tuple[Operand, Operand], present: Bools) -> Outcome:
        result_of = "bool" if self.expr.return_bool else "left"
        expr, notes = self.expr, self.context.notes
        return apply(expr.op, *sides, present, result_of=result_of, notes=notes, place=expr.place)

    def _labels(self, many: Labels, one: Labels) -> Labels:
        """Of an element of the result; a name that goes is only marked, unless the matching cuts it."""
        matching = self.matching
        made = many
        if matching.cardinality == "one-to-one":
            if matching.on:
                made = kept(many, matching.labels)
            else:
                made = tuple(p for p in many if p[0] not in matching.labels)
        if self._drops and not self.context.options.delayed_name_removal:
            made = tuple(p for p in made if p[0] not in OF_THE_NAME)
        source = dict(one)
        for name in matching.include:
            made = changed(made, name, source.get(name, ""))
        return made


def _operand(matrix: Matrix, chosen: Ints) -> Operand:
    return Operand(matrix.values[chosen], None if matrix.histograms is None else matrix.histograms[chosen])


def _paired(first: Ints, second: Ints) -> tuple[Ints, Ints]:
    """Places of all pairs of equal numbers."""
    by_number: dict[int, list[int]] = {}
    for place, number in enumerate(second.tolist()):
        by_number.setdefault(number, []).append(place)
    found = [(m, o) for m, number in enumerate(first.tolist()) for o in by_number.get(number, ())]
    made = np.array(found, np.int64).reshape(len(found), 2)
    return made[:, 0], made[:, 1]
