"""Label sets of many series at once: checked, hashed to series ids, and written as JSON."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vigla.wire.otlp import text
from vigla.wire.text_hash import Hashes, hashes, mixed

Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

NAME = b"__name__"
_NAME_BITS = 16
_LABEL_BITS = np.uint64(64 - _NAME_BITS)
_LOW = np.uint64(2**48 - 1)


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Labels in order: their sets, and places of their names and values."""

    owners: Ints
    names: Ints
    values: Ints

    def at(self, places: Ints) -> "_Sorted":
        return _Sorted(self.owners[places], self.names[places], self.values[places])


@dataclass(frozen=True)
class LabelSets:
    """Labels of S sets, L in all.

    Attributes:
        sets: S.
        owners: int64 [L], ascending: the set of each label.
        names, values: texts, binary; names are distinct.
        name_codes, value_codes: int64 [L], places in ``names`` and ``values``.
        broken: bool [S], sets that refer to a text that there is not.
    """

    sets: int
    owners: Ints
    names: pa.BinaryArray
    values: pa.BinaryArray
    name_codes: Ints
    value_codes: Ints
    broken: Mask

    @cached_property
    def _sorted(self) -> "_Sorted":
        """Labels with a value, by set and then by name; an empty value is none."""
        rank = np.empty(len(self.names), np.int64)
        rank[pc.sort_indices(self.names).to_numpy()] = np.arange(len(self.names))
        found = _Sorted(self.owners, self.name_codes, self.value_codes)
        filled = np.array(pc.binary_length(self.values)) > 0
        if not filled.all():
            found = found.at(np.flatnonzero(filled[self.value_codes]))
        ranks = rank[found.names]
        if ((np.diff(ranks) >= 0) | (np.diff(found.owners) > 0)).all():  # senders should sort, so most do
            return found
        return found.at(np.lexsort((ranks, found.owners)))

    @cached_property
    def _name_values(self) -> Ints:
        """Place of each set's metric name in ``values``, -1 without one."""
        return self.values_of(NAME)

    def values_of(self, name: bytes) -> Ints:
        """Place of each set's value of a label in ``values``, -1 without one."""
        found = np.full(self.sets, -1, np.int64)
        code = pc.index(self.names, name).as_py()
        having = np.flatnonzero(self._sorted.names == code)
        found[self._sorted.owners[having]] = self._sorted.values[having]
        return found

    @cached_property
    def _value_hashes(self) -> Hashes:
        return hashes(self.values)

    @cached_property
    def _sums(self) -> Hashes:
        """For each set the sum of its labels' hashes."""
        labels = self._sorted
        names, values = hashes(self.names), mixed(self._value_hashes)
        pairs = mixed((names * np.uint64(3))[labels.names] + values[labels.values])
        ends = np.append(0, np.cumsum(np.bincount(labels.owners, minlength=self.sets)))
        sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(pairs)))
        return np.asarray(sums[ends[1:]] - sums[ends[:-1]], np.uint64)

    def problems(self) -> dict[str, Mask]:
        """What is wrong, by reason: bool [S] each."""
        owners, names = self._sorted.owners, self._sorted.names
        twice = (owners[1:] == owners[:-1]) & (names[1:] == names[:-1])
        fine_names, fine_values = _fine_names(self.names), _is_utf8(self.values)
        bad = np.zeros(0, np.int64)
        if not (fine_names.all() and fine_values.all()):
            bad = np.flatnonzero(~(fine_names[names] & fine_values[self._sorted.values]))
        return {
            "labels_refs point outside of symbols": self.broken,
            "missing metric name": self._name_values < 0,
            "duplicate label name": self._has(owners[1:][twice]),
            "invalid label name or value": self._has(owners[bad]),
        }

    def ids(self) -> Ints:
        """A 64-bit id of each set: of the name above, so that series of one name lie together, then of all.

        The same labels give the same id in any order, process and version of vigla.
        """
        above = np.append(self._value_hashes, np.uint64(0))[self._name_values] & ~_LOW
        return (above | (mixed(self._sums) & _LOW)).view(np.int64)

    def checks(self) -> Ints:
        """Another 64-bit number of each set: two sets with equal ids and checks are the same."""
        return self._sums.view(np.int64)

    def metric_names(self) -> pa.StringArray:
        """The metric name of each set, null where there is none."""
        places = self._name_values
        return _as_text(self.values).take(pa.array(places, mask=places < 0))

    def texts(self) -> pa.StringArray:
        """A JSON object of each set, names in order."""
        labels = self._sorted
        names = text.concat(text.quoted(_as_text(self.names)), ":").take(pa.array(labels.names))
        values = text.quoted(_as_text(self.values)).take(pa.array(labels.values))
        members = text.joined(labels.owners, text.concat(names, values), self.sets)
        return text.concat("{", members, "}")

    def taken(self, sets: Ints) -> "LabelSets":
        """These sets alone; ascending."""
        place = np.full(self.sets, -1, np.int64)
        place[sets] = np.arange(len(sets))
        owners = place[self.owners]
        kept = owners >= 0
        return LabelSets(
            len(sets),
            owners[kept],
            self.names,
            self.values,
            self.name_codes[kept],
            self.value_codes[kept],
            self.broken[sets],
        )

    def _has(self, owners: Ints) -> Mask:
        found = np.zeros(self.sets, bool)
        found[owners] = True
        return found


def _is_utf8(texts: pa.BinaryArray) -> Mask:
    try:
        texts.cast(pa.string())
    except pa.ArrowInvalid:
        return np.array([_decodes(raw) for raw in texts.to_pylist()], bool)
    return np.ones(len(texts), bool)


def _fine_names(names: pa.BinaryArray) -> Mask:
    fine: Mask = _is_utf8(names) & (np.array(pc.binary_length(names)) > 0)
    return fine


def _decodes(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _as_text(texts: pa.BinaryArray) -> pa.StringArray:
    """As text; of what is no UTF-8 nothing is stored, so it may be anything."""
    try:
        return texts.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([raw.decode(errors="replace") for raw in texts.to_pylist()], pa.string())
