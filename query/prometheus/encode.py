"""Results as Prometheus' API writes them: columns to JSON without a loop over samples.

Values are text in Go's shortest form, times are numbers of seconds with three digits where there is a part of
a second (``util/jsonutil`` of Prometheus).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from query.promql.histogram import filled
from query.promql.histograms.json_form import as_json
from query.promql.histograms.numbers import api
from query.promql.matrix import Matrix
from query.promql.results import Scalars, Series, Text, Value, Vector
from query.promql.series import Labels

MS_PER_S = 1000
PLAIN_FROM, PLAIN_TO = 1e-6, 1e15
"""Between these Arrow writes the same digits as Go; zero too."""


def body(value: Value) -> bytes:
    """``{"resultType": ..., "result": ...}``."""
    match value:
        case Scalars():
            text = _pair(int(value.times[0]), api(float(value.values[0])))
            return b'{"resultType":"scalar","result":' + text + b"}"
        case Text():
            text = _pair(value.time, value.value)
            return b'{"resultType":"string","result":' + text + b"}"
        case Vector():
            rows = _vector(value)
            return b'{"resultType":"vector","result":[' + b",".join(rows) + b"]}"
        case Series():
            rows = _series(value)
            return b'{"resultType":"matrix","result":[' + b",".join(rows) + b"]}"


def seconds(milliseconds: int) -> str:
    """A time: ``1435781430.781``, or without a fraction where there is none."""
    whole, part = divmod(abs(milliseconds), MS_PER_S)
    sign = "-" if milliseconds < 0 else ""
    return f"{sign}{whole}.{part:03d}" if part else f"{sign}{whole}"


def numbers(values: npt.NDArray[np.float64]) -> pa.Array:
    """Floats as text in Go's shortest form (``strconv.FormatFloat``, format 'f', or 'e' for extreme ones)."""
    texts = pa.array(values).cast(pa.string())
    size = np.abs(values)
    odd = ~((size >= PLAIN_FROM) & (size < PLAIN_TO)) & (values != 0)
    if not odd.any():
        return texts
    return pc.replace_with_mask(texts, pa.array(odd), pa.array([api(v) for v in values[odd].tolist()]))


def _times(milliseconds: npt.NDArray[np.int64]) -> pa.Array:
    """Times as text."""
    if (milliseconds % MS_PER_S == 0).all():
        return pa.array(milliseconds // MS_PER_S).cast(pa.string())
    return pa.array([seconds(t) for t in milliseconds.tolist()])


def _pair(time: int, text: str) -> bytes:
    return b"[" + seconds(time).encode() + b"," + orjson.dumps(text) + b"]"


def _metric(labels: Labels) -> bytes:
    return b'{"metric":' + orjson.dumps(dict(labels))


def _vector(value: Vector) -> Iterator[bytes]:
    matrix = value.matrix
    texts = numbers(matrix.values[:, 0] if matrix.labels else np.zeros(0)).to_pylist()
    for row, labels in enumerate(matrix.labels):
        native = None if matrix.histograms is None else matrix.histograms[row, 0]
        if native is None:
            yield _metric(labels) + b',"value":' + _pair(value.time, texts[row]) + b"}"
        else:
            sample = _histogram(value.time, native)
            yield _metric(labels) + b',"histogram":' + sample + b"}"


def _histogram(time: int, native: object) -> bytes:
    return b"[" + seconds(time).encode() + b"," + orjson.dumps(as_json(native)) + b"]"  # type: ignore[arg-type]


def _series(value: Series) -> Iterator[bytes]:
    matrix = value.matrix
    native = _native(matrix)
    floats = _joined(value.times, matrix.values, matrix.present & ~native)
    for row, (labels, texts) in enumerate(zip(matrix.labels, floats, strict=True)):
        made = _metric(labels)
        if texts:
            made += b',"values":[' + texts + b"]"
        steps = np.flatnonzero(native[row])
        if steps.size and matrix.histograms is not None:
            samples = (_histogram(int(value.times[s]), matrix.histograms[row, s]) for s in steps)
            made += b',"histograms":[' + b",".join(samples) + b"]"
        yield made + b"}"


def _native(matrix: Matrix) -> npt.NDArray[np.bool_]:
    if matrix.histograms is None:
        return np.zeros(matrix.present.shape, np.bool_)
    return np.asarray(filled(matrix.histograms) & matrix.present, np.bool_)


def _joined(
    times: npt.NDArray[np.int64], values: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_]
) -> Sequence[bytes]:
    """Of each row its chosen samples: ``[t,"v"],[t,"v"]``."""
    if not len(values):
        return []
    _, columns = np.nonzero(chosen)
    written = _times(times).take(pa.array(columns))
    pairs = pc.binary_join_element_wise("[", written, ',"', numbers(values[chosen]), '"]', "")
    offsets = np.concatenate(([0], np.cumsum(chosen.sum(axis=1)))).astype(np.int32)
    rows = pa.ListArray.from_arrays(pa.array(offsets), pairs)
    return [text.as_buffer().to_pybytes() for text in pc.binary_join(rows, ",")]
