"""Cumulative counters and histograms by labels, in arrays; given out as samples from time to time."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vigla.model.samples import TIME
from vigla.prometheus.staleness import STALE
from vigla.wire.otlp.label_rows import LabelRows, Texts, sets_of
from vigla.wire.otlp.label_values import plain
from vigla.wire.remote_write.decode import Decoded, empty
from vigla.wire.remote_write.descriptors import MetricType

log = logging.getLogger(__name__)

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values, without ``__name__``."""

_NONE = -1


@dataclass(frozen=True, slots=True)
class Family:
    """One metric.

    Attributes:
        name: a histogram's without ``_bucket``.
        type: ``counter`` or ``histogram``.
        help: what it counts.
        unit: of what is measured; empty for counts.
        bounds: upper bounds of a histogram's buckets without the last, ascending.
    """

    name: str
    type: MetricType
    help: str
    unit: str = ""
    bounds: tuple[float, ...] = ()

    def series(self) -> list[tuple[str, Labels]]:
        """Names and further labels of the series that one set of labels has."""
        if self.type == "counter":
            return [(self.name, ())]
        buckets = [*map(plain, self.bounds), "+Inf"]
        return [
            *((f"{self.name}_bucket", (("le", bound),)) for bound in buckets),
            (f"{self.name}_sum", ()),
            (f"{self.name}_count", ()),
        ]


@dataclass(frozen=True, slots=True)
class Examples:
    """For each of G sets of labels the measurement that is kept as its exemplar.

    Attributes:
        values: float64 [G].
        traces: ids; None or empty where the measurement has none.
    """

    values: Floats
    traces: Sequence[str | None]


class Counters:
    """The series of some families. Adding and giving out may come from two threads.

    Args:
        families: in one set of labels all of them are counted.
        max_series: past them labels that are new are not counted.
        idle_ms: series that long without change end with a stale marker.
    """

    def __init__(self, families: Sequence[Family], max_series: int, idle_ms: int) -> None:
        self.families = {family.name: family for family in families}
        self._max, self._idle = max_series, idle_ms
        self._lock = threading.Lock()
        self._firsts: dict[str, dict[Labels, int]] = {name: {} for name in self.families}
        self._series = empty().series
        self._values, self._starts, self._touched = np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._told = np.zeros(0)
        self._examples: dict[int, tuple[float, str, int]] = {}
        self.overflowed = 0

    def add(
        self,
        name: str,
        labels: Sequence[Labels],
        amounts: Floats,
        now_ms: int,
        examples: Examples | None = None,
    ) -> None:
        """Count.

        Args:
            name: of a family.
            labels: G sets.
            amounts: float64 [G] of a counter, [G, buckets + 2] of a histogram: what falls into each bucket
                (not cumulative, the last without bound), then the sum.
            now_ms: the time.
            examples: of a histogram; the newest of each bucket is given out with the next samples.
        """
        if self.families[name].type == "histogram":
            buckets, sums = np.cumsum(amounts[:, :-1], axis=1), amounts[:, -1:]
            amounts = np.concatenate([buckets, sums, buckets[:, -1:]], axis=1)
        else:
            amounts = amounts.reshape(-1, 1)
        with self._lock:
            firsts = self._places(name, labels, now_ms)
            kept = firsts >= 0
            self.overflowed += int((~kept).sum())
            places = firsts[kept, None] + np.arange(amounts.shape[1])
            np.add.at(self._values, places, amounts[kept])
            self._touched[places] = now_ms
            if examples is not None:
                self._keep(examples, firsts, self.families[name].bounds, now_ms)

    def _keep(self, examples: Examples, firsts: Ints, bounds: Sequence[float], now_ms: int) -> None:
        """An exemplar belongs to the lowest bucket that it falls into."""
        places = firsts + np.searchsorted(np.array(bounds), examples.values, side="left")
        rows = zip(firsts.tolist(), places.tolist(), examples.values.tolist(), examples.traces, strict=True)
        self._examples |= {
            place: (value, trace, now_ms) for first, place, value, trace in rows if first >= 0 and trace
        }

    def samples(self, now_ms: int) -> Decoded | None:
        """What changed since the last call, at this time; None when nothing did."""
        with self._lock:
            changed = np.flatnonzero(self._values != self._told)
            ended = np.flatnonzero(self._touched < now_ms - self._idle)
            if not len(changed) + len(ended):
                return None
            places = np.concatenate([changed, ended])
            values = np.concatenate([self._values[changed], np.full(len(ended), STALE)])
            series = self._series.take(pa.array(places))
            made = Decoded(
                series=series,
                samples=pa.table(
                    {
                        "sid": series.column("sid"),
                        "ts": pa.array(np.full(len(places), now_ms)).cast(TIME),
                        "value": values,
                        "start": self._starts[places],
                    }
                ),
                histograms=empty().histograms,
                exemplars=self._exemplars(),
                metadata=self._metadata(),
            )
            self._told = self._values.copy()
            if len(ended):
                self._forget(self._touched >= now_ms - self._idle)
            return made

    def _exemplars(self) -> pa.Table:
        """Those kept since the last call, as rows."""
        kept, self._examples = self._examples, {}
        values, traces, times = zip(*kept.values(), strict=True) if kept else ((), (), ())
        columns = [
            self._series.column("sid").take(pa.array(kept.keys(), pa.int64())),
            pa.array(times, pa.int64()).cast(TIME),
            pa.array(values, pa.float64()),
            pa.array([f'{{"trace_id":"{trace}"}}' for trace in traces], pa.string()),
        ]
        return pa.Table.from_arrays(columns, schema=empty().exemplars.schema)

    def _places(self, name: str, labels: Sequence[Labels], now_ms: int) -> Ints:
        """Place of the first series of each set of labels; -1 past the bound."""
        known = self._firsts[name]
        new = [own for own in dict.fromkeys(labels) if own not in known]
        width = len(self.families[name].series())
        room = max((self._max - len(self._values)) // width, 0)
        if len(new) > room:
            log.warning("%d label sets of %s are not counted: ingester.derived_series", len(new) - room, name)
        if new[:room]:
            self._learn(name, new[:room], width, now_ms)
        return np.array([known.get(own, _NONE) for own in labels], np.int64)

    def _learn(self, name: str, labels: Sequence[Labels], width: int, now_ms: int) -> None:
        base = len(self._values)
        self._firsts[name] |= {own: base + n * width for n, own in enumerate(labels)}
        pairs = [
            (("__name__", series), *own, *more)
            for own in labels
            for series, more in self.families[name].series()
        ]
        self._series = pa.concat_tables([self._series, _described(pairs)])
        count = len(pairs)
        self._values = np.concatenate([self._values, np.zeros(count)])
        self._told = np.concatenate([self._told, np.full(count, np.nan)])
        self._starts = np.concatenate([self._starts, np.full(count, now_ms)])
        self._touched = np.concatenate([self._touched, np.full(count, now_ms)])

    def _forget(self, kept: npt.NDArray[np.bool_]) -> None:
        """Sets of labels are idle as a whole, so what is kept stays together."""
        moved = np.cumsum(kept) - 1
        self._firsts = {
            name: {own: int(moved[place]) for own, place in known.items() if kept[place]}
            for name, known in self._firsts.items()
        }
        self._series = self._series.filter(pa.array(kept))
        self._values, self._told = self._values[kept], self._told[kept]
        self._starts, self._touched = self._starts[kept], self._touched[kept]

    def _metadata(self) -> pa.Table:
        rows = [
            {"name": family.name, "type": family.type, "help": family.help, "unit": family.unit}
            for family in self.families.values()
        ]
        return pa.Table.from_pylist(rows, schema=empty().metadata.schema)


def _described(pairs: Sequence[Labels]) -> pa.Table:
    """Rows of ``Decoded.series``."""
    texts = Texts()
    codes = [
        (place, texts.code(name), texts.code(value))
        for place, labels in enumerate(pairs)
        for name, value in labels
    ]
    owners, names, values = np.array(codes, np.int64).T
    sets = sets_of(LabelRows(owners, names, values), len(pairs), texts)
    return pa.table(
        {
            "sid": sets.ids(),
            "name": sets.metric_names(),
            "labels": sets.texts(),
            "check": sets.checks(),
        }
    )


def grouped(columns: Mapping[str, pa.Array]) -> tuple[list[Labels], Ints]:
    """Distinct label sets of some rows, and the set of each row; a null is the empty value."""
    rows = len(next(iter(columns.values())))
    codes = np.zeros(rows, np.int64)
    encoded = []
    for column in columns.values():
        texts = (column if pa.types.is_dictionary(column.type) else column.dictionary_encode()).fill_null("")
        encoded.append(texts)
        _, codes = np.unique(
            codes * (len(texts.dictionary) + 1) + texts.indices.to_numpy(), return_inverse=True
        )
    _, firsts, groups = np.unique(codes, return_index=True, return_inverse=True)
    values = [texts.take(pa.array(firsts)).cast(pa.string()).to_pylist() for texts in encoded]
    return [tuple(zip(columns, own, strict=True)) for own in zip(*values, strict=True)], groups


def slowest(values: Floats, groups: Ints, traces: pa.Array) -> Examples:
    """The greatest value of each group, and its trace."""
    order = np.lexsort((values, groups))
    lasts = order[np.append(np.flatnonzero(np.diff(groups[order])), len(order) - 1)]
    return Examples(values[lasts], traces.take(pa.array(lasts)).to_pylist())


def spread(values: Floats, groups: Ints, count: int, bounds: Sequence[float]) -> Floats:
    """Amounts of a histogram for ``Counters.add``: float64 [count, buckets + 2]."""
    width = len(bounds) + 1
    buckets = np.searchsorted(np.array(bounds), values, side="left")
    made = np.bincount(groups * width + buckets, minlength=count * width).reshape(count, width)
    sums = np.bincount(groups, values, minlength=count)
    return np.concatenate([made.astype(np.float64), sums[:, None]], axis=1)
