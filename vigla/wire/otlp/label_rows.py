"""Labels of many points at once, as rows of codes: whose, which name, which value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vigla.wire.otlp import label_values
from vigla.wire.otlp.buffers import owners_of
from vigla.wire.otlp.metric_names import Strategy, label_name
from vigla.wire.remote_write.labels import LabelSets

Ints: TypeAlias = npt.NDArray[np.int64]


class Texts:
    """Distinct texts with their codes; code 0 is the empty text."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {"": 0}

    def code(self, text: str) -> int:
        """The text's code, a new one at its first use."""
        return self._codes.setdefault(text, len(self._codes))

    def codes(self, texts: Sequence[str]) -> Ints:
        """Codes of some texts."""
        return np.array([self.code(text) for text in texts], np.int64)

    def array(self) -> pa.BinaryArray:
        """All texts by code."""
        return pa.array([text.encode() for text in self._codes], pa.binary())


@dataclass(frozen=True, slots=True)
class LabelRows:
    """Labels of O owners, L in all: int64 [L] each.

    Attributes:
        owners: the owner of each.
        names, values: codes of ``Texts``.
    """

    owners: Ints
    names: Ints
    values: Ints

    def of(self, wanted: Ints) -> "LabelRows":
        """Labels of owners 0 to N-1, which have those of ``wanted[n]``; an owner may be wanted often."""
        order = np.argsort(self.owners, kind="stable")
        sorted_owners = self.owners[order]
        firsts, ends = (np.searchsorted(sorted_owners, wanted, side) for side in ("left", "right"))
        sizes = ends - firsts
        starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))[:-1]
        places = order[np.arange(sizes.sum()) + np.repeat(firsts - starts, sizes)]
        return LabelRows(np.repeat(np.arange(len(wanted)), sizes), self.names[places], self.values[places])

    def without(self, name: int, owners: npt.NDArray[np.bool_]) -> "LabelRows":
        """Without a label of the owners marked."""
        kept = ~((self.names == name) & owners[self.owners])
        return self if kept.all() else LabelRows(self.owners[kept], self.names[kept], self.values[kept])


def constant(owners: Ints, name: int, values: Ints) -> LabelRows:
    """The same label, of owners each with their value."""
    return LabelRows(owners, np.full(len(owners), name, np.int64), values)


def joined(parts: Sequence[LabelRows]) -> LabelRows:
    """All labels of the parts."""
    return LabelRows(
        np.concatenate([part.owners for part in parts]),
        np.concatenate([part.names for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def sets_of(rows: LabelRows, owners: int, texts: Texts) -> LabelSets:
    """As label sets to be checked, hashed and written."""
    order = np.argsort(rows.owners, kind="stable")
    array = texts.array()
    return LabelSets(
        owners,
        rows.owners[order],
        array,
        array,
        rows.names[order],
        rows.values[order],
        np.zeros(owners, bool),
    )


def attributes(lists: pa.ListArray, texts: Texts, strategy: Strategy) -> LabelRows:
    """Labels of encoded ``KeyValue`` lists; an attribute's key that stands twice counts as the last.

    Different keys of one label have their values joined by ``;``, in the order of the keys.
    """
    entries = lists.flatten().dictionary_encode()
    pairs = [label_values.pair(raw) for raw in entries.dictionary.to_pylist()]
    codes = entries.indices.to_numpy().astype(np.int64)
    keys = texts.codes([key for key, _ in pairs])
    names = texts.codes([label_name(key, strategy) for key, _ in pairs])
    values = texts.codes([value for _, value in pairs])
    owners = owners_of(lists)
    places = _last_of_equal(owners, keys[codes] if len(codes) else codes)
    codes, owners = codes[places], owners[places]
    made = LabelRows(owners, names[codes] if len(codes) else codes, values[codes] if len(codes) else codes)
    return _collided(made, [pairs[code][0] for code in codes.tolist()], texts) if _collide(made) else made


def _last_of_equal(owners: Ints, keys: Ints) -> Ints:
    order = np.lexsort((np.arange(len(keys)), keys, owners))
    again = (np.diff(owners[order]) == 0) & (np.diff(keys[order]) == 0)
    return np.sort(order[~np.append(again, np.zeros(min(len(order), 1), bool))])


def _collide(rows: LabelRows) -> bool:
    order = np.lexsort((rows.names, rows.owners))
    return bool(((np.diff(rows.owners[order]) == 0) & (np.diff(rows.names[order]) == 0)).any())


def _collided(rows: LabelRows, keys: list[str], texts: Texts) -> LabelRows:
    """With one label where several were; rare, so one by one."""
    found: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for owner, name, value, key in zip(
        rows.owners.tolist(), rows.names.tolist(), rows.values.tolist(), keys, strict=True
    ):
        found.setdefault((owner, name), []).append((key, value))
    by_code = list(texts.array().to_pylist())
    values = [
        each[0][1]
        if len(each) == 1
        else texts.code(";".join(by_code[value].decode() for _, value in sorted(each)))
        for each in found.values()
    ]
    places = np.array(list(found), np.int64).reshape(-1, 2)
    return LabelRows(places[:, 0], places[:, 1], np.array(values, np.int64))
