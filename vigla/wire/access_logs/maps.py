"""String maps, column by column: custom tags and headers."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vigla.wire.otlp import text
from vigla.wire.otlp.buffers import owners_of


class StringMaps:
    """The maps of one column, one for each row. Of equal keys in one row the last stands.

    Args:
        lists: list of ``struct<key, value>`` for each row, no nulls.
    """

    def __init__(self, lists: pa.ListArray) -> None:
        self._rows = len(lists)
        entries = lists.flatten()
        keys = entries.field("key").dictionary_encode()
        self._values = entries.field("value")
        self._names = keys.dictionary
        self._code_of = {name: code for code, name in enumerate(keys.dictionary.to_pylist())}
        codes = keys.indices.to_numpy()
        owners = owners_of(lists)
        self._places = _last_of_equal(owners * max(len(self._names), 1) + codes)
        self._owners, self._codes = owners[self._places], codes[self._places]
        self._left = np.ones(len(self._places), bool)

    def column(self, key: str) -> pa.StringArray:
        """Value of a key in each row, null where there is none or it is empty."""
        return self._column(key)[0]

    def pop(self, key: str) -> pa.StringArray:
        """As ``column``, and left out of what ``objects`` writes."""
        column, chosen = self._column(key)
        self._left[chosen] = False
        return column

    def objects(self) -> pa.StringArray:
        """A JSON object of each row's keys that were not taken out, null when it has none."""
        owners, places = self._owners[self._left], self._places[self._left]
        if not len(places):
            return pa.nulls(self._rows, pa.string())
        names = text.concat(text.quoted(self._names), ":").take(pa.array(self._codes[self._left]))
        members = text.concat(names, text.quoted(self._values.take(pa.array(places))))
        return text.object_member(text.concat("{", text.joined(owners, members, self._rows), "}"))

    def _column(self, key: str) -> tuple[pa.StringArray, npt.NDArray[np.int64]]:
        code = self._code_of.get(key)
        if code is None:
            return pa.nulls(self._rows, pa.string()), np.zeros(0, np.int64)
        chosen = np.flatnonzero(self._codes == code)
        index = np.full(self._rows, -1, np.int64)
        index[self._owners[chosen]] = self._places[chosen]
        values = self._values.take(pa.array(index, mask=index < 0))
        return text.nonempty(values), chosen


def _last_of_equal(pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Ascending places of the last of each equal number."""
    _, from_end = np.unique(pairs[::-1], return_index=True)
    return np.sort(len(pairs) - 1 - from_end)
