"""Label sets of many series at once: checked, hashed to series ids, and written as JSON."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vigla.wire.otlp import text

Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Hashes: TypeAlias = npt.NDArray[np.uint64]

NAME = b"__name__"
_NAME_BITS = 16
_LABEL_BITS = np.uint64(64 - _NAME_BITS)
_LOW = np.uint64(2**48 - 1)


@dataclass(frozen=True)
class LabelSets:
    """Labels of S sets, L in all.

    Attributes:
        sets: S.
        owners: int64 [L], ascending: the set of each label.
        names, values: distinct texts, binary.
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
    def _order(self) -> Ints:
        """Labels with a value, by set and then by name; an empty value is none."""
        rank = np.empty(len(self.names), np.int64)
        rank[pc.sort_indices(self.names).to_numpy()] = np.arange(len(self.names))
        filled = np.array(pc.binary_length(self.values)) > 0
        kept = np.flatnonzero(filled[self.value_codes]) if len(self.values) else np.zeros(0, np.int64)
        return kept[np.lexsort((rank[self.name_codes[kept]], self.owners[kept]))]

    @cached_property
    def _name_values(self) -> Ints:
        """Place of each set's metric name in ``values``, -1 without one."""
        return self.values_of(NAME)

    def values_of(self, name: bytes) -> Ints:
        """Place of each set's value of a label in ``values``, -1 without one."""
        found = np.full(self.sets, -1, np.int64)
        code = pc.index(self.names, name).as_py()
        having = self._order[self.name_codes[self._order] == code]
        found[self.owners[having]] = self.value_codes[having]
        return found

    @cached_property
    def _sums(self) -> Hashes:
        """For each set the sum of its labels' hashes."""
        order = self._order
        names, values = _hashes(self.names), _mixed(_hashes(self.values))
        pairs = _mixed(names[self.name_codes[order]] * np.uint64(3) + values[self.value_codes[order]])
        ends = np.searchsorted(self.owners[order], np.arange(self.sets + 1))
        sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(pairs)))
        return np.asarray(sums[ends[1:]] - sums[ends[:-1]], np.uint64)

    def problems(self) -> dict[str, Mask]:
        """What is wrong, by reason: bool [S] each."""
        order = self._order
        owners, names = self.owners[order], self.name_codes[order]
        twice = (owners[1:] == owners[:-1]) & (names[1:] == names[:-1])
        bad = ~(_fine_names(self.names)[names] & _is_utf8(self.values)[self.value_codes[order]])
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
        above = np.append(_hashes(self.values), np.uint64(0))[self._name_values] & ~_LOW
        return (above | (_mixed(self._sums) & _LOW)).view(np.int64)

    def checks(self) -> Ints:
        """Another 64-bit number of each set: two sets with equal ids and checks are the same."""
        return self._sums.view(np.int64)

    def metric_names(self) -> pa.StringArray:
        """The metric name of each set, null where there is none."""
        places = self._name_values
        return _as_text(self.values).take(pa.array(places, mask=places < 0))

    def texts(self) -> pa.StringArray:
        """A JSON object of each set, names in order."""
        order = self._order
        names = text.concat(text.quoted(_as_text(self.names)), ":").take(pa.array(self.name_codes[order]))
        values = text.quoted(_as_text(self.values)).take(pa.array(self.value_codes[order]))
        members = text.joined(self.owners[order], text.concat(names, values), self.sets)
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


def _hashes(texts: pa.BinaryArray) -> Hashes:
    digests = b"".join(blake2b(raw, digest_size=8).digest() for raw in texts.to_pylist())
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def _mixed(numbers: Hashes) -> Hashes:
    """Every bit of a number changes about half of the result's bits (the finalizer of splitmix64)."""
    mixed = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: Hashes = mixed ^ (mixed >> np.uint64(31))
    return result


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
