"""Rows of a result that have the same labels: one series if they never meet, an error if they do."""

import numpy as np

from query.promql.errors import ExecutionError
from query.promql.kernels.call import Ints
from query.promql.labelsets import numbered, without_name
from query.promql.matrix import Matrix

SAME_LABELS = "vector cannot contain metrics with the same labelset"


def merged(matrix: Matrix, message: str = SAME_LABELS) -> Matrix:
    """The matrix with each label set once.

    Raises:
        ExecutionError: two series of the same labels have an element at the same step.
    """
    numbers, labels = numbered(matrix.labels)
    if len(labels) == len(matrix.labels):
        return matrix
    return _folded(matrix, np.array(numbers, np.int64), len(labels), message)


def named(matrix: Matrix, *, drop: bool) -> Matrix:
    """The matrix with the names of marked series taken away, if ``drop``."""
    if not drop or not matrix.drop_name.any():
        return matrix
    labels = [
        without_name(own) if gone else own
        for own, gone in zip(matrix.labels, matrix.drop_name.tolist(), strict=True)
    ]
    unmarked = np.zeros(len(labels), np.bool_)
    return merged(Matrix(labels, matrix.values, matrix.present, matrix.histograms, unmarked))


def _folded(matrix: Matrix, numbers: Ints, size: int, message: str) -> Matrix:
    met = np.zeros((size, matrix.present.shape[1]), np.int64)
    np.add.at(met, numbers, matrix.present)
    if (met > 1).any():
        raise ExecutionError(message)
    first = np.full(size, -1, np.int64)
    first[numbers[::-1]] = np.arange(len(numbers), dtype=np.int64)[::-1]
    values, present = np.full(met.shape, np.nan), met > 0
    histograms = None if matrix.histograms is None else np.full(met.shape, None, object)
    for row, number in enumerate(numbers.tolist()):
        here = matrix.present[row]
        values[number, here] = matrix.values[row, here]
        if histograms is not None and matrix.histograms is not None:
            histograms[number, here] = matrix.histograms[row, here]
    labels = [matrix.labels[row] for row in first.tolist()]
    return Matrix(labels, values, present, histograms, matrix.drop_name[first])
