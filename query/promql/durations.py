"""Durations that are expressions to numbers, once the bounds of the query are known."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace

from query.promql.ast import (
    Duration,
    DurationCall,
    DurationNumber,
    DurationOp,
    DurationOperation,
    Expr,
    MatrixSelector,
    Subquery,
    VectorSelector,
)
from query.promql.errors import PromqlError
from query.promql.walk import transform

_MAX_SECONDS = 2.0**63 / 1e9
_OPERATIONS: dict[DurationOp, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": math.pow,
}


def resolve(expr: Expr, start_ms: int, end_ms: int, step_ms: int) -> Expr:
    """The tree with a ``DurationNumber`` of whole milliseconds for each duration.

    Args:
        expr: a checked expression.
        start_ms: first evaluation time; ``range()`` is the time from it to the last.
        end_ms: last evaluation time.
        step_ms: interval of the query, for ``step()``.

    Raises:
        PromqlError: a range or step is not positive, a duration too long or a division by zero.
    """
    return _Resolver((end_ms - start_ms) / 1000, step_ms / 1000).resolve(expr)


@dataclass(frozen=True, slots=True)
class _Resolver:
    range_s: float
    step_s: float

    def resolve(self, expr: Expr) -> Expr:
        return transform(expr, self._node)

    def _node(self, expr: Expr) -> Expr:
        match expr:
            case VectorSelector():
                return self._vector(expr)
            case MatrixSelector():
                return replace(expr, vector=self._vector(expr.vector), range=self._length(expr.range))
            case Subquery():
                offset = None if expr.offset is None else self._number(expr.offset)
                step = None if expr.step is None else self._length(expr.step)
                return replace(expr, offset=offset, step=step, range=self._length(expr.range))
            case _:
                return expr

    def _vector(self, vector: VectorSelector) -> VectorSelector:
        return vector if vector.offset is None else replace(vector, offset=self._number(vector.offset))

    def _length(self, duration: Duration) -> DurationNumber:
        number = self._number(duration)
        if number.seconds <= 0:
            raise _wrong(duration, "duration must be greater than 0")
        return number

    def _number(self, duration: Duration) -> DurationNumber:
        seconds = self._seconds(duration)
        if not -_MAX_SECONDS < seconds < _MAX_SECONDS:
            raise _wrong(duration, "duration is out of range")
        # Prometheus rounds what is written and cuts what is computed.
        whole = round(seconds * 1000) if isinstance(duration, DurationNumber) else math.trunc(seconds * 1000)
        return DurationNumber(duration.place, whole / 1000, written_as_number=False)

    def _seconds(self, duration: Duration) -> float:
        match duration:
            case DurationNumber():
                return duration.seconds
            case DurationCall():
                return self._call(duration)
            case DurationOperation():
                right = self._seconds(duration.right)
                if duration.left is None:
                    return -right if duration.op == "-" else right
                return _calculated(duration, duration.op, self._seconds(duration.left), right)

    def _call(self, call: DurationCall) -> float:
        if call.function == "step":
            return self.step_s
        if call.function == "range":
            return self.range_s
        values = [self._seconds(each) for each in call.arguments]
        if any(map(math.isnan, values)):
            return math.nan
        return min(values) if call.function == "min_of" else max(values)


def _calculated(duration: Duration, op: DurationOp, left: float, right: float) -> float:
    if op in ("/", "%") and right == 0:
        raise _wrong(duration, "division by zero" if op == "/" else "modulo by zero")
    try:
        return _OPERATIONS[op](left, right)
    except (OverflowError, ValueError):  # where Go's functions give Inf or NaN, which are no durations
        return math.nan


def _wrong(duration: Duration, message: str) -> PromqlError:
    """Prometheus names the offsets here, not line and column."""
    return PromqlError(f"{duration.place.start}:{duration.place.end}: {message}")
