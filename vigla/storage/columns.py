"""Brings Arrow tables to a table's exact columns, and writes them as Parquet files the lake can take over."""

import contextlib
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 40_960  # a trace by id decodes one row group; 122,880 rows took 4 ms more, 20,480 too
COMPRESSION_LEVEL = 1  # level 3 saved 1 % of the bytes

# No minimum and maximum, which the catalog would keep too: the texts are long and never pruned by.
_UNBOUNDED = frozenset({"scope", "resource", "attrs", "events", "links", "dropped"})

# Nearly every value differs, so a dictionary would only add bytes; sorted times have small differences.
_ENCODINGS = {
    "ts": "DELTA_BINARY_PACKED",
    "end_ts": "DELTA_BINARY_PACKED",
    "span_id": "PLAIN",
    "parent_id": "PLAIN",
    "dur": "PLAIN",
}
_WITHOUT_DICTIONARY = frozenset({*_ENCODINGS, "attrs", "events", "links", "dropped"})


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


class TableFile:
    """A Parquet file in the making, in a table's own directory.

    Args:
        path: where; must not exist.
        schema: columns of what will be written; columns left out read as NULL.
        rows: about how many rows will come, for the size of the Bloom filter.
    """

    def __init__(self, path: Path, schema: pa.Schema, rows: int) -> None:
        self._path = path
        names = schema.names
        self._writer = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            compression_level=COMPRESSION_LEVEL,
            store_schema=False,
            use_dictionary=[leaf for name in names for leaf in _leaves(schema, name)],
            column_encoding={name: code for name, code in _ENCODINGS.items() if name in names},
            write_statistics=[name for name in names if name not in _UNBOUNDED],
            # One distinct id for four spans; a denser file has more false positives, never wrong answers.
            bloom_filter_options={"trace_id": {"ndv": max(min(rows, ROW_GROUP_ROWS) // 4, 64), "fpp": 0.01}},
        )

    def write(self, table: pa.Table) -> None:
        """Append rows."""
        self._writer.write_table(table, row_group_size=ROW_GROUP_ROWS)

    def close(self) -> None:
        """Finish the file and make it durable, its name included."""
        self._writer.close()
        _sync(self._path)
        _sync(self._path.parent)

    def discard(self) -> None:
        """Remove what was written. What cannot be removed now is removed when the lake is next opened."""
        with contextlib.suppress(OSError):  # a full disk is why it is discarded
            self._writer.close()
        self._path.unlink(missing_ok=True)


def write_file(path: Path, table: pa.Table) -> None:
    """Write one durable Parquet file. Nothing is left behind on failure.

    Raises:
        OSError: the disk refuses.
    """
    filled = without_empty(table)
    file = TableFile(path, filled.schema, filled.num_rows)
    try:
        file.write(filled)
        file.close()
    except OSError:
        file.discard()
        raise


def without_empty(table: pa.Table) -> pa.Table:
    """The table without columns that have no value at all: most promoted attributes, in most files."""
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
