"""Values of the engine in the form that ``compare`` reads."""

from query.promql.engine import MatrixResult, ScalarValue, StringValue, VectorResult
from query.promql.histogram import Histogram
from query.promql.series import SeriesBatch
from tests.conformance.promqltest.compare import Compared, Found


def compared(value: ScalarValue | StringValue | VectorResult | MatrixResult) -> Compared:
    """A value of any kind; times in milliseconds."""
    match value:
        case ScalarValue() | StringValue():
            return value.value
        case VectorResult() | MatrixResult():
            return _series(value.batch)


def _series(batch: SeriesBatch) -> list[Found]:
    """Both kinds of series are columns; of a vector each has one sample."""
    found = []
    for i, labels in enumerate(batch.labels):
        columns = slice(int(batch.offsets[i]), int(batch.offsets[i + 1]))
        samples: list[float | Histogram] = batch.values[columns].tolist()
        if batch.histograms is not None:
            histograms = batch.histograms[columns].tolist()
            samples = [a if b is None else b for a, b in zip(samples, histograms, strict=True)]
        found.append(Found(labels, tuple(zip(batch.times[columns].tolist(), samples, strict=True))))
    return found
