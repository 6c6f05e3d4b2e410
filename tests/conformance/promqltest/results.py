"""Values of the engine in the form that ``compare`` reads."""

import numpy as np

from query.promql.histogram import Histogram
from query.promql.matrix import Matrix
from query.promql.results import Scalars, Series, Text, Value, Vector
from tests.conformance.promqltest.compare import Compared, Found


def compared(value: Value) -> Compared:
    """A value of any kind; times in milliseconds."""
    match value:
        case Scalars():
            return float(value.values[0])
        case Text():
            return value.value
        case Vector():
            return _series(value.matrix, [value.time])
        case Series():
            return _series(value.matrix, value.times.tolist())


def _series(matrix: Matrix, times: list[int]) -> list[Found]:
    found = []
    for row, labels in enumerate(matrix.labels):
        samples: list[tuple[int, float | Histogram]] = []
        for step in np.flatnonzero(matrix.present[row]).tolist():
            native = None if matrix.histograms is None else matrix.histograms[row, step]
            samples.append((times[step], float(matrix.values[row, step]) if native is None else native))
        found.append(Found(labels, tuple(samples)))
    return found
