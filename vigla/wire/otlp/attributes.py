"""Attributes, column by column: encoded KeyValues to promoted columns and JSON text.

Services send the same KeyValues over and over, so only the distinct ones of a batch are decoded and made
into text, all at once. Where most are distinct this costs what it saves: see ``benchmarks/decode.py``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vigla.model.spans import DICTIONARY, AttributeType, Promoted
from vigla.wire.otlp import descriptors, nested, text
from vigla.wire.otlp.buffers import owners_of

_KEY_VALUES = descriptors.handler(descriptors.columns, descriptors.KEY_VALUE)

_PAIR_TABLE_LIMIT = 16_000_000  # bytes of flags for (row, key) pairs; past it, sorting takes less memory

_ARROW_TYPES: dict[AttributeType, pa.DataType] = {"string": pa.string(), "int": pa.int64()}


class Attributes:
    """The attributes of one list column, such as those of all spans of a batch.

    Of equal keys in one row the last stands, as if they were set in turn on a map.

    Args:
        lists: list of encoded ``KeyValue`` messages for each row, no nulls.
    """

    def __init__(self, lists: pa.ListArray) -> None:
        self._rows = len(lists)
        self._owners = owners_of(lists)
        places = lists.flatten().dictionary_encode()
        self._entries = places.indices.to_numpy()  # by place
        pairs = _KEY_VALUES.array_to_record_batch(places.dictionary)
        self._values = pairs.column("value")  # by entry
        keys = pairs.column("key").dictionary_encode()
        self._keys = keys.dictionary
        self._entry_codes = keys.indices.to_numpy()
        self._codes = self._entry_codes[self._entries]
        self._code_of = {key: code for code, key in enumerate(self._keys.to_pylist())}
        self._kept = _last_of_equal(self._owners, self._codes, self._rows, len(self._keys))

    def column(self, key: str, kind: AttributeType) -> pa.Array:
        """Values of a key that have this type, one a row; null where there is none."""
        code = self._code_of.get(key)
        if code is None:
            return pa.nulls(self._rows, _ARROW_TYPES[kind])
        return self._column(code, kind)[0]

    def pop(self, promoted: Promoted) -> pa.Array:
        """The column of a promoted attribute; its values are left out of what ``objects`` writes."""
        code = self._code_of.get(promoted.key)
        if code is None:
            return pa.nulls(self._rows, promoted.arrow)
        column, places = self._column(code, promoted.type)
        self._kept[places] = False
        return column.dictionary_encode() if promoted.arrow == DICTIONARY else column

    def _column(self, code: int, kind: AttributeType) -> tuple[pa.Array, npt.NDArray[np.int64]]:
        values = self._values.field(f"{kind}_value")
        places = np.flatnonzero(self._kept & (self._codes == code))
        if values.null_count:
            places = places[values.is_valid().to_numpy(zero_copy_only=False)[self._entries[places]]]
        index = np.full(self._rows, -1, np.int64)
        index[self._owners[places]] = self._entries[places]
        return values.take(pa.array(index, mask=index < 0)), places

    def discard(self, key: str, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Leave a key of some rows out of what ``objects`` writes; which of the rows had it."""
        found = np.zeros(self._rows, bool)
        code = self._code_of.get(key)
        if code is not None:
            places = np.flatnonzero(self._kept & (self._codes == code) & rows[self._owners])
            self._kept[places] = False
            found[self._owners[places]] = True
        return found

    def objects(self) -> pa.StringArray:
        """One JSON object for each row: all attributes that were not taken out."""
        entries, owners = self._entries, self._owners
        if not self._kept.all():
            entries, owners = entries[self._kept], owners[self._kept]
        members = self._members().take(pa.array(entries))
        return text.concat("{", text.joined(owners, members, self._rows), "}")

    def _members(self) -> pa.StringArray:
        names = text.concat(text.quoted(self._keys), ":")
        return text.concat(names.take(pa.array(self._entry_codes)), _value_texts(self._values))


def _value_texts(values: pa.StructArray) -> pa.StringArray:
    columns = [
        texts(column)
        for member, texts in _TEXTS.items()
        if (column := values.field(member)).null_count < len(column)
    ]
    return pc.coalesce(*columns, "null")


def _double_texts(column: pa.DoubleArray) -> pa.StringArray:
    """Distinct by their bits: as numbers, 0.0 and -0.0 are one."""
    return text.each_distinct(nested.double_text, column.view(pa.int64()))


_TEXTS: dict[str, Callable[[Any], pa.StringArray]] = {
    "string_value": text.quoted,
    "int_value": lambda column: column.cast(pa.string()),
    "bool_value": lambda column: column.cast(pa.string()),
    "double_value": _double_texts,
    "bytes_value": lambda column: text.each_distinct(nested.bytes_text, column),
    "array_value": lambda column: text.each_distinct(nested.array_text, column),
    "kvlist_value": lambda column: text.each_distinct(nested.kvlist_text, column),
}


def _last_of_equal(
    owners: npt.NDArray[np.int64], codes: npt.NDArray[np.int32], rows: int, keys: int
) -> npt.NDArray[np.bool_]:
    """Mask of the last attribute with its key in its row."""
    pairs = owners * keys + codes
    if rows * keys <= _PAIR_TABLE_LIMIT:
        seen = np.zeros(rows * keys, bool)
        seen[pairs] = True
        if np.count_nonzero(seen) == len(pairs):
            return np.ones(len(pairs), bool)
    last = np.zeros(len(pairs), bool)
    _, first_from_end = np.unique(pairs[::-1], return_index=True)
    last[len(pairs) - 1 - first_from_end] = True
    return last
