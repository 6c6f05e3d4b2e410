"""What is computed from spans when they are stored: a summary of each trace."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vigla.model.spans import summary_schema

_ERROR = 2  # OTLP StatusCode
_NO_PARENT = 0
_MAX_NS = np.iinfo(np.int64).max

Ints = npt.NDArray[np.int64]


def summaries(spans: pa.Table) -> pa.Table:
    """One row for each trace among these spans; a trace that comes in parts gets a row for each part.

    Args:
        spans: columns as in ``vigla.model.spans``, in any order.

    Returns:
        Rows with schema ``summary_schema()``, one per distinct ``trace_id``.
    """
    if spans.num_rows == 0:
        return summary_schema().empty_table()
    traces = _encoded(spans, "trace_id")
    codes = traces.indices.to_numpy().astype(np.int64)
    start = _ints(spans, "ts")
    order = np.lexsort((start, codes))
    codes = codes[order]
    firsts = np.flatnonzero(np.diff(codes, prepend=-1))
    start = start[order]
    columns = [
        traces.dictionary,
        pa.array(start[firsts], pa.timestamp("ns")),
        pa.array(np.maximum.reduceat(_ends(start, _ints(spans, "dur")[order]), firsts), pa.timestamp("ns")),
        pa.array(np.diff(firsts, append=len(codes))),
        pa.array(np.add.reduceat((_ints(spans, "status_code")[order] == _ERROR).astype(np.int64), firsts)),
        *_roots(spans, order, codes, len(firsts)),
        _services(spans, order, codes, len(firsts)),
    ]
    return pa.Table.from_arrays(columns, schema=summary_schema())


def _roots(spans: pa.Table, order: Ints, codes: Ints, traces: int) -> tuple[pa.Array, pa.Array]:
    """Service and name of each trace's earliest span without parent; null when it has none here."""
    roots = np.flatnonzero(_ints(spans, "parent_id")[order] == _NO_PARENT)
    row = np.full(traces, -1, dtype=np.int64)
    row[codes[roots][::-1]] = order[roots][::-1]  # of several, the earliest is written last
    picked = pa.array(row, mask=row < 0)
    return _plain(spans.column("service").take(picked)), _plain(spans.column("name").take(picked))


def _services(spans: pa.Table, order: Ints, codes: Ints, traces: int) -> pa.ListArray:
    """The distinct services of each trace."""
    services = _encoded(spans, "service")
    width = max(len(services.dictionary), 1)
    pairs = np.unique(codes * width + services.indices.to_numpy()[order])
    offsets = np.searchsorted(pairs, np.arange(traces + 1) * width)
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), _plain(services.dictionary.take(pa.array(pairs % width)))
    )


def _ends(start: Ints, duration: Ints) -> Ints:
    """Ends, kept within what a timestamp can hold."""
    ends: Ints = start + np.minimum(duration, _MAX_NS - np.maximum(start, 0))
    return ends


def _encoded(table: pa.Table, name: str) -> pa.DictionaryArray:
    """A column as one dictionary array."""
    return pc.dictionary_encode(table.column(name)).combine_chunks()


def _ints(table: pa.Table, name: str) -> Ints:
    values: Ints = table.column(name).cast(pa.int64()).to_numpy()
    return values


def _plain(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return whole.cast(pa.string())
