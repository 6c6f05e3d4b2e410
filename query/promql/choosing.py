"""Aggregations that choose elements of each group: ``topk``, ``bottomk``, ``limitk``, ``limit_ratio``."""

import numpy as np
import xxhash

from query.promql.aggregate import floats_of
from query.promql.ast import Aggregation
from query.promql.context import Context
from query.promql.errors import ExecutionError
from query.promql.grouping import Groups
from query.promql.histograms.numbers import general
from query.promql.kernels.call import Bools, Floats, Ints
from query.promql.matrix import Matrix
from query.promql.selection import rows, trimmed
from query.promql.series import Labels

_LONG = 255
_MAX_COUNT = 2.0**63


def choose(context: Context, expr: Aggregation, vector: Matrix, parameter: Floats) -> Matrix:
    """The chosen elements, as they are.

    Args:
        context: of the query.
        expr: the aggregation.
        vector: S series.
        parameter: float64 [T], how many of each group, or which share.

    Raises:
        ExecutionError: the parameter is no number.
    """
    if expr.op == "limit_ratio":
        chosen = vector.present & _by_hash(context, expr, vector.labels, parameter)
        return trimmed(_with(vector, chosen))
    counts = _counts(parameter)
    groups = Groups.of(expr, vector.labels)
    if expr.op == "limitk":
        return trimmed(_with(vector, _first(groups, vector.present, counts)))
    present = floats_of(context, expr, vector)
    ranks = _ranks(groups, vector.values, present, largest=expr.op == "topk")
    found = _with(vector, present & (ranks < counts))
    if context.instant and context.size == 1 and len(groups):
        order = np.lexsort((ranks[:, 0], groups.numbers))
        found = rows(found, order)
    return trimmed(found)


def _with(vector: Matrix, chosen: Bools) -> Matrix:
    return Matrix(vector.labels, vector.values, chosen, vector.histograms, vector.drop_name)


def _counts(parameter: Floats) -> Floats:
    if np.isnan(parameter).any():
        raise ExecutionError("Parameter value is NaN")
    for value in parameter[np.abs(parameter) >= _MAX_COUNT].tolist():
        side = "overflows" if value > 0 else "underflows"
        raise ExecutionError(f"Scalar value {general(value)} {side} int64")
    return np.trunc(parameter)


def _first(groups: Groups, present: Bools, counts: Floats) -> Bools:
    """The first elements of each group that are present."""
    chosen = np.zeros(present.shape, np.bool_)
    taken = np.zeros((len(groups), present.shape[1]))
    for numbers, members in groups.rounds():
        here = present[members] & (taken[numbers] < counts)
        chosen[members] = here
        taken[numbers] += here
    return chosen


def _ranks(groups: Groups, values: Floats, present: Bools, *, largest: bool) -> Ints:
    """Int64 [S, T]: place of each element in its group, from 0; NaN comes last."""
    found = np.zeros(values.shape, np.int64)
    for members in groups.members():
        own = -values[members] if largest else values[members]
        kinds = np.where(present[members], np.isnan(own).astype(np.int64), 2)
        order = np.lexsort((own, kinds), axis=0)
        places = np.empty_like(order)
        np.put_along_axis(places, order, np.arange(len(members))[:, None], axis=0)
        found[members] = places
    return found


def _by_hash(context: Context, expr: Aggregation, labels: list[Labels], parameter: Floats) -> Bools:
    """Bool [S, T]: the hash of the labels is in the share; a negative one is the complement."""
    if np.isnan(parameter).any():
        raise ExecutionError("Ratio value is NaN")
    place = expr.parameter.place if expr.parameter else expr.place
    for value in dict.fromkeys(parameter[np.abs(parameter) > 1].tolist()):
        capped = 1 if value > 0 else -1
        text = f"ratio value should be between -1 and 1, got {general(value)}, capping to {capped}"
        context.notes.warn(text, place)
    share = np.clip(parameter, -1.0, 1.0)
    offsets = np.array([[_hash(own) / 2.0**64] for own in labels]).reshape(len(labels), 1)
    return np.where(share >= 0, offsets < share, offsets >= 1.0 + share)


def _hash(labels: Labels) -> int:
    """xxHash64 of the labels as Prometheus lays them out in memory."""
    parts = (part.encode(errors="surrogateescape") for pair in labels for part in pair)
    return xxhash.xxh64_intdigest(b"".join(_sized(part) for part in parts))


def _sized(part: bytes) -> bytes:
    size = len(part)
    return (bytes([size]) if size < _LONG else b"\xff" + size.to_bytes(3, "little")) + part
