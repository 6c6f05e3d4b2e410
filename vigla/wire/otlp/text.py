"""JSON text built column by column."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from vigla.wire.otlp.buffers import offsets_of, values_of

_NEEDS_ESCAPE = np.zeros(256, bool)
_NEEDS_ESCAPE[:0x20] = True
_NEEDS_ESCAPE[[ord('"'), ord("\\")]] = True

_TO_HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint16)


def concat(*parts: pa.Array | str) -> pa.StringArray:
    """Element-wise concatenation; null where a part is null."""
    return pc.binary_join_element_wise(*parts, "")


def quoted(strings: pa.StringArray) -> pa.StringArray:
    """JSON strings with their quotes."""
    return concat('"', escaped(strings), '"')


def escaped(strings: pa.StringArray) -> pa.StringArray:
    """The inside of JSON strings. Text that needs no escape, nearly all there is, is only looked through."""
    offsets = offsets_of(strings)
    hits = np.flatnonzero(_NEEDS_ESCAPE[values_of(strings)])
    if not len(hits):
        return strings
    rows = np.unique(np.searchsorted(offsets, hits + offsets[0], side="right") - 1)
    mask = np.zeros(len(strings), bool)
    mask[rows] = True
    return pc.replace_with_mask(strings, mask, each_distinct(_escape, strings.take(pa.array(rows))))


def _escape(text: str) -> str:
    return orjson.dumps(text)[1:-1].decode()


def each_distinct(function: Callable[[Any], str], values: pa.Array) -> pa.StringArray:
    """Apply a function to each distinct value that is not null."""
    encoded = values.dictionary_encode()
    texts = pa.array([function(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return texts.take(encoded.indices)


def joined(rows: npt.NDArray[np.int64], texts: pa.StringArray, count: int) -> pa.StringArray:
    """Texts of equal row joined by comma: ``count`` texts, empty where a row has none.

    Args:
        rows: row of each text, ascending.
        texts: as many as ``rows``.
        count: number of rows.
    """
    ends = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(rows, minlength=count), out=ends[1:])
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), texts), ",")


def objects(**members: pa.StringArray) -> pa.StringArray:
    """JSON objects from columns of JSON text; a null leaves its member out."""
    return concat("{", present([concat(f'"{name}":', column) for name, column in members.items()]), "}")


def present(columns: list[pa.StringArray]) -> pa.StringArray:
    """Texts that are not null, joined by comma; empty where all are null."""
    none = reduce(pc.and_, [pc.is_null(column) for column in columns])
    # Arrow's join leaves out the rows in which it skips every column (seen in 26.0), so none may be all null.
    filler = pc.if_else(none, "", pa.scalar(None, pa.string()))
    return pc.binary_join_element_wise(*columns, filler, ",", null_handling="skip")


def unless(empty: pa.Array, texts: pa.StringArray) -> pa.StringArray:
    """Null where ``empty`` is true."""
    return pc.if_else(empty, pa.scalar(None, pa.string()), texts)


def nonempty(strings: pa.StringArray) -> pa.StringArray:
    """Null where the text is empty."""
    return unless(pc.equal(strings, ""), strings)


def string_member(strings: pa.StringArray) -> pa.StringArray:
    """Text for ``objects``: a JSON string, null when empty."""
    return unless(pc.equal(strings, ""), quoted(strings))


def count_member(counts: pa.Array) -> pa.StringArray:
    """Text for ``objects``: a number, null when 0."""
    return unless(pc.equal(counts, 0), counts.cast(pa.string()))


def object_member(texts: pa.StringArray) -> pa.StringArray:
    """Text for ``objects``: a JSON object, null when it has no members."""
    return unless(pc.equal(texts, "{}"), texts)


def hexadecimal(ids: npt.NDArray[np.uint8]) -> pa.StringArray:
    """Lower-case hex digits of ids, shape (ids, bytes each)."""
    count, width = ids.shape
    digits = _TO_HEX[ids]
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(2 * width)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(digits))
