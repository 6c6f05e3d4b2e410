"""The labels of all series, in memory: which series do some matchers accept?"""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from query.promql.ast import Matcher
from query.promql.matching import accepts
from query.promql.series import Labels

Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]


class SeriesIndex:
    """Series by their place, 0 and up in the order in which they were added. Not thread-safe.

    Attributes:
        labels: label sets by place.
    """

    def __init__(self) -> None:
        self.labels: list[Labels] = []
        self._ids = array("q")
        self._known: dict[int, int] = {}
        self._places: defaultdict[str, defaultdict[str, array[int]]] = defaultdict(_postings)

    def add(self, series: pa.Table) -> None:
        """Take in rows with ``sid`` and ``labels`` (JSON); known series are passed over."""
        ids = series.column("sid").to_pylist()
        for sid, text in zip(ids, series.column("labels").to_pylist(), strict=True):
            if sid not in self._known:
                place = self._known[sid] = len(self.labels)
                labels: Labels = tuple(orjson.loads(text).items())  # stored in order
                self.labels.append(labels)
                self._ids.append(sid)
                for name, value in labels:
                    self._places[name][value].append(place)

    def matching(self, matchers: Sequence[Matcher]) -> Ints:
        """Places, ascending, of the series that every matcher accepts."""
        found: Mask | None = None
        for matcher in sorted(matchers, key=lambda each: each.op != "="):
            accepted = self._accepted(matcher)
            found = accepted if found is None else found & accepted
            if not found.any():
                break
        return np.arange(len(self.labels)) if found is None else np.flatnonzero(found)

    def ids(self, places: Ints) -> Ints:
        """The series' ids."""
        return np.array(self._ids, np.int64)[places]

    def _accepted(self, matcher: Matcher) -> Mask:
        """An absent label has the empty value."""
        values: dict[str, array[int]] = self._places.get(matcher.name, {})
        empty = accepts(matcher, "")
        mask = np.full(len(self.labels), empty)
        if matcher.op == "=" and matcher.value:
            mask[_ints(values.get(matcher.value))] = True
            return mask
        for value, places in values.items():
            if accepts(matcher, value) != empty:
                mask[_ints(places)] = not empty
        return mask


def _postings() -> "defaultdict[str, array[int]]":
    return defaultdict(lambda: array("q"))


def _ints(places: "array[int] | None") -> Ints:
    return np.array(places if places is not None else (), np.int64)
