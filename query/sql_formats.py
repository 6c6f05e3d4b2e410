"""An SQL answer as JSON, CSV, Arrow or Parquet.

JSON renders values as below, and so does CSV, where nested values are JSON text and plain numbers stay as
they are (64-bit integers in full, ``nan``, ``inf``):

| type | rendered |
|---|---|
| whole number | number; beyond 2^53 - 1 a string, which JavaScript would otherwise round |
| float | number; ``"NaN"``, ``"Infinity"``, ``"-Infinity"`` as strings |
| decimal | number up to 15 digits, else string |
| timestamp | ISO 8601 in UTC with as many digits as the type has: ``"2026-11-22T10:00:00.123456789Z"`` |
| date, time | ISO 8601 |
| interval | ISO 8601 duration, ``"P1M2DT3.5S"`` |
| binary | base64 |
| list, struct, map | array, object, array of ``{"key":..,"value":..}`` |
"""

import base64
import io
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

Format = Literal["json", "csv", "arrow", "parquet"]
Converter: TypeAlias = Callable[[Any], Any]

MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
CHUNK_ROWS = 8192  # some megabytes at most: what is held in memory twice while an answer is sent

SAFE_INTEGER = 2**53 - 1  # ECMAScript's Number.MAX_SAFE_INTEGER
EXACT_DIGITS = 15  # decimal digits that a double keeps


def encoded(table: pa.Table, form: Format) -> Iterator[bytes]:
    """The answer in chunks. Values are rendered while it is read: iterate off the event loop."""
    return _ENCODERS[form](table)


def columns_of(schema: pa.Schema) -> list[dict[str, str]]:
    """Name and type of each column, the type in Arrow's notation without how it is packed."""
    return [{"name": field.name, "type": str(_unpacked(field.type))} for field in schema]


def _json(table: pa.Table) -> Iterator[bytes]:
    yield b'{"columns":' + orjson.dumps(columns_of(table.schema)) + b',"rows":['
    separator = b""
    for batch in table.to_batches(max_chunksize=CHUNK_ROWS):
        if batch.num_rows == 0:
            continue
        columns = [rendered(column) for column in batch.columns]
        yield separator + orjson.dumps([list(row) for row in zip(*columns, strict=True)])[1:-1]
        separator = b","
    yield b'],"row_count":%d}' % table.num_rows


def _csv(table: pa.Table) -> Iterator[bytes]:
    header = pa.table({f"{i}": [name] for i, name in enumerate(table.schema.names)})
    # A row of its own: pyarrow refuses column names that stand twice, which SQL allows.
    yield _csv_rows(header)
    for batch in table.to_batches(max_chunksize=CHUNK_ROWS):
        columns = [_csv_column(column) for column in batch.columns]
        yield _csv_rows(pa.Table.from_arrays(columns, names=[f"{i}" for i in range(len(columns))]))


def _csv_rows(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=False, quoting_style="needed", eol="\r\n")
    pa.csv.write_csv(rows, sink, options)
    return sink.getvalue()


def _csv_column(column: pa.Array) -> pa.Array:
    kind = column.type
    as_it_is = (pa.types.is_string, pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
    return column if any(holds(kind) for holds in as_it_is) else _text_column(column)


def _text_column(column: pa.Array) -> pa.Array:
    return pa.array([_text(value) for value in rendered(column)], pa.string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def _arrow(table: pa.Table) -> Iterator[bytes]:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        yield _taken(sink)
        for batch in table.to_batches(max_chunksize=CHUNK_ROWS):
            writer.write_batch(batch)
            yield _taken(sink)
    yield _taken(sink)


def _taken(sink: io.BytesIO) -> bytes:
    content = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return content


def _parquet(table: pa.Table) -> Iterator[bytes]:
    for index, field in enumerate(table.schema):
        if not _is_in_parquet(field.type):
            text = pa.chunked_array([_text_column(c) for c in table.column(index).chunks], pa.string())
            table = table.set_column(index, field.name, text)
    sink = io.BytesIO()
    pa.parquet.write_table(table, sink, compression="zstd")
    yield sink.getvalue()


def _is_in_parquet(kind: pa.DataType) -> bool:
    """Parquet has no unions, and its interval type is deprecated: both become text."""
    children = [kind.field(i).type for i in range(kind.num_fields)]
    return not (pa.types.is_interval(kind) or pa.types.is_union(kind)) and all(map(_is_in_parquet, children))


_ENCODERS: dict[Format, Callable[[pa.Table], Iterator[bytes]]] = {
    "json": _json,
    "csv": _csv,
    "arrow": _arrow,
    "parquet": _parquet,
}


def _unpacked(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def rendered(column: pa.Array) -> list[Any]:
    """A column as values that JSON has, see the module."""
    if pa.types.is_timestamp(column.type):
        # A text per column is ten times faster than one per value.
        naive = column.cast(pa.timestamp(column.type.unit))
        texts: list[Any] = pc.strftime(naive, format="%Y-%m-%dT%H:%M:%SZ").to_pylist()
        return texts
    values: list[Any] = column.cast(_plain(column.type)).to_pylist()
    convert = _converter(column.type)
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type like this one whose values Python has."""
    kind = _unpacked(kind)
    if pa.types.is_timestamp(kind):
        return pa.int64()
    if pa.types.is_time(kind) or pa.types.is_date(kind):
        return pa.string()
    if _is_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, _plain(f.type)) for f in kind.fields])
    return pa.map_(_plain(kind.key_type), _plain(kind.item_type)) if pa.types.is_map(kind) else kind


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind))


def _converter(kind: pa.DataType) -> Converter | None:
    """From what ``_plain`` gives to what JSON has; None: nothing to do."""
    kind = _unpacked(kind)
    if pa.types.is_timestamp(kind):
        digits = _DIGITS[kind.unit]
        return lambda value: _instant(value, digits)
    simple = (convert for holds, convert in _SIMPLE if holds(kind))
    return next(simple, None) or _nested_converter(kind)


def _nested_converter(kind: pa.DataType) -> Converter | None:
    if _is_list(kind):
        item = _or_null(kind.value_type)
        return lambda values: [item(value) for value in values]
    if pa.types.is_struct(kind):
        members = {field.name: _or_null(field.type) for field in kind.fields}
        return lambda struct: {name: convert(struct[name]) for name, convert in members.items()}
    if pa.types.is_map(kind):
        key, item = _or_null(kind.key_type), _or_null(kind.item_type)
        return lambda pairs: [{"key": key(k), "value": item(v)} for k, v in pairs]
    return None


def _or_null(kind: pa.DataType) -> Converter:
    convert = _converter(kind)
    if convert is None:
        return lambda value: value
    return lambda value: None if value is None else convert(value)


_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def _instant(value: int, digits: int) -> str:
    seconds, fraction = divmod(value, 10**digits)
    text = pc.strftime(pa.scalar(seconds, pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%S").as_py()
    return f"{text}.{fraction:0{digits}}Z" if digits else f"{text}Z"


def _integer(value: int) -> int | str:
    return value if -SAFE_INTEGER <= value <= SAFE_INTEGER else str(value)


def _float(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _decimal(value: Decimal) -> int | float | str:
    if value == value.to_integral_value() and value.as_tuple().exponent == 0:
        return _integer(int(value))
    return float(value) if len(value.as_tuple().digits) <= EXACT_DIGITS else str(value)


def _interval(value: pa.MonthDayNano) -> str:
    seconds = Decimal(value.nanoseconds) / 1_000_000_000
    return f"P{value.months}M{value.days}DT{seconds:f}S"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


_SIMPLE: tuple[tuple[Callable[[pa.DataType], bool], Converter], ...] = (
    (pa.types.is_int64, _integer),
    (pa.types.is_uint64, _integer),
    (pa.types.is_floating, _float),
    (pa.types.is_decimal, _decimal),
    (pa.types.is_interval, _interval),
    (pa.types.is_binary, _base64),
    (pa.types.is_large_binary, _base64),
    (pa.types.is_fixed_size_binary, _base64),
)
