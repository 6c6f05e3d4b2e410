"""Brings Arrow tables to a table's exact columns, and writes them as Parquet files the lake can take over."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vigla.model.access_logs import TIMES

ROW_GROUP_ROWS = 40_960  # a trace by id decodes one row group; 122,880 rows took 4 ms more, 20,480 too
SAMPLE_ROW_GROUP_ROWS = 20_000  # ten series of a day: 45 cpu-ms, with 122,880 rows over 460
COMPRESSION_LEVEL = 1  # level 3 saved 1 % of the bytes
SAMPLE_LEVEL = 3  # a sample of real targets has 0.77 bytes, with level 1 1.1: they share their times

# No minimum and maximum, which the catalog would keep too: the texts are long and never pruned by.
_SPAN_TEXTS = frozenset({"attrs", "events", "links", "dropped"})
_LOG_TEXTS = frozenset({"tags", "request_headers", "response_headers", "response_trailers"})
_VALUES = frozenset({"value", "sum", "count", "zero_count", "zero_threshold"})
_LISTS = frozenset({"positive_spans", "positive_counts", "negative_spans", "negative_counts", "custom"})
_NOT_SEARCHED = _VALUES | _LISTS | {"labels", "help"}
_UNBOUNDED = frozenset(
    {"scope", "resource", "metadata", "filter_state", *_SPAN_TEXTS, *_LOG_TEXTS, *_NOT_SEARCHED}
)

# Nearly every value differs, so a dictionary would only add bytes; sorted times have small differences.
_ENCODINGS = {
    "ts": "DELTA_BINARY_PACKED",
    "end_ts": "DELTA_BINARY_PACKED",
    "span_id": "PLAIN",
    "parent_id": "PLAIN",
    "dur": "PLAIN",
    **dict.fromkeys(TIMES, "PLAIN"),
}
# Packed differences begin at any bit: the compressor does not find the times of one series in the next.
_SAMPLE_ENCODINGS = {
    **dict.fromkeys(("sid", "ts", "start", "seq"), "PLAIN"),
    **dict.fromkeys(_VALUES, "BYTE_STREAM_SPLIT"),
}
_WITHOUT_DICTIONARY = frozenset(
    {*_ENCODINGS, *_SAMPLE_ENCODINGS, *_SPAN_TEXTS, *_LOG_TEXTS, *_LISTS, "labels"}
)
_SEARCHED_IDS = ("trace_id", "request_id")


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly these columns: missing ones are null, others are cast where they differ."""
    if table.schema.equals(schema):
        return table
    columns = [
        _cast(table.column(field.name), field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _cast(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    if column.type.equals(wanted):
        return column
    if pa.types.is_dictionary(wanted) and not pa.types.is_dictionary(column.type):
        return pc.dictionary_encode(column.cast(wanted.value_type)).cast(wanted)
    return column.cast(wanted)


def order_of(table: pa.Table) -> npt.NDArray[np.int64]:
    """Row numbers in the order files are kept: by series or service where there is one, then by time."""
    ts = table.column("ts").cast(pa.int64()).to_numpy()
    if "sid" in table.column_names:
        return np.lexsort((ts, table.column("sid").to_numpy()))
    if "service" not in table.column_names:
        order: npt.NDArray[np.int64] = np.argsort(ts, kind="stable")
        return order
    service = pc.dictionary_encode(table.column("service")).combine_chunks()
    rank = pc.rank(service.dictionary).to_numpy()
    codes = service.indices.fill_null(0).to_numpy()
    return np.lexsort((ts, rank[codes]))


def write_sorted(path: Path, table: pa.Table) -> None:
    """Write rows as one durable Parquet file, sorted by ``order_of``, without columns that have no value.

    Nothing is left behind on failure.

    Args:
        path: where; must not exist.
        table: rows of the table that ``path`` is for.

    Raises:
        OSError: the disk refuses.
    """
    rows = _without_empty(table).combine_chunks()  # ``take`` would copy columns of many chunks each time
    order = pa.array(order_of(rows))
    try:
        with pq.ParquetWriter(path, rows.schema, **_options(rows, order)) as writer:
            size = row_group_rows(rows.schema)
            for first in range(0, rows.num_rows, size):
                writer.write_table(rows.take(order[first : first + size]))
        _sync(path)
        _sync(path.parent)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def row_group_rows(schema: pa.Schema) -> int:
    """Rows of a row group of the table with these columns."""
    return SAMPLE_ROW_GROUP_ROWS if "sid" in schema.names else ROW_GROUP_ROWS


def _options(rows: pa.Table, order: pa.Array) -> dict[str, Any]:
    names = rows.column_names
    encodings, level = (
        (_SAMPLE_ENCODINGS, SAMPLE_LEVEL) if "sid" in names else (_ENCODINGS, COMPRESSION_LEVEL)
    )
    return {
        "compression": "zstd",
        "compression_level": level,
        "store_schema": False,
        "use_dictionary": [leaf for name in names for leaf in _leaves(rows.schema, name)],
        "column_encoding": {name: code for name, code in encodings.items() if name in names},
        "write_statistics": [name for name in names if name not in _UNBOUNDED],
        "bloom_filter_options": {
            name: {"ndv": _distinct_ids(rows.column(name), order), "fpp": 0.01}
            for name in _SEARCHED_IDS
            if name in names
        },
    }


def _distinct_ids(column: pa.ChunkedArray, order: pa.Array) -> int:
    """About how many ids a row group has: as often as the id changes from one row to the next.

    The size of its Bloom filter. It varies twentyfold, with how many spans of a trace one service has.
    """
    ids = column.take(order)
    changes = int(pc.sum(pc.not_equal(ids[1:], ids[:-1])).as_py() or 0)
    groups: int = -(-len(column) // ROW_GROUP_ROWS)
    return changes // max(groups, 1) + 64


def _without_empty(table: pa.Table) -> pa.Table:
    """Most promoted attributes have no value in most files; a column that is left out reads as NULL."""
    rows = table.num_rows
    return table.select([name for name in table.column_names if table.column(name).null_count < rows])


def _leaves(schema: pa.Schema, name: str) -> list[str]:
    if name in _WITHOUT_DICTIONARY:
        return []
    return [f"{name}.list.element"] if pa.types.is_list(schema.field(name).type) else [name]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
