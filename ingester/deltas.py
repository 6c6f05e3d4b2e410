"""Delta temporality: changes since the point before become the cumulative values that queries expect.

What was added up is held in memory, so a restart begins at zero, as a counter of a restarted process does.
"""

from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vigla.wire.remote_write.decode import Decoded

MAX_SERIES = 1_000_000
"""Series remembered; past them all begin anew, as after a restart."""

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]


class Deltas:
    """Sums by series, in arrays sorted by id. For one thread."""

    def __init__(self) -> None:
        self._ids, self._starts = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._sums = np.zeros(0)

    def accumulated(self, decoded: Decoded) -> Decoded:
        """The rows with sums for changes, by time; their counters began with the first change seen.

        Native histograms are stored as changes, with the hint of a gauge: no rate is taken of those.
        """
        samples, histograms = decoded.samples, decoded.histograms
        if histograms.num_rows:
            place = histograms.schema.get_field_index("hint")
            gauge = pa.array(np.full(histograms.num_rows, 3, np.int32))
            histograms = histograms.set_column(place, "hint", gauge)
        return replace(decoded, samples=self._summed(samples), histograms=histograms)

    def _summed(self, samples: pa.Table) -> pa.Table:
        ids = samples.column("sid").to_numpy()
        times = samples.column("ts").cast(pa.int64()).to_numpy()
        began = samples.column("start").fill_null(0).to_numpy()
        values = samples.column("value").to_numpy()
        order = np.lexsort((times, ids))
        ids, times, values = ids[order], times[order], values[order]
        self._learn(ids, np.where(began[order] > 0, began[order], times))
        places = np.searchsorted(self._ids, ids)
        lost = np.isnan(values)
        firsts = np.flatnonzero(np.diff(ids, prepend=ids[:1] - 1))
        changes = np.where(lost, 0.0, values)
        changes[firsts] += self._sums[places[firsts]]
        sums = _running(changes, firsts)
        lasts = np.append(firsts[1:] - 1, len(ids) - 1)[: len(firsts)]
        self._sums[places[lasts]] = sums[lasts]
        bits = np.where(lost, values.view(np.int64), sums.view(np.int64))
        return pa.table(
            {
                "sid": ids,
                "ts": pa.array(times).cast(samples.schema.field("ts").type),
                "value": bits.view(np.float64),
                "start": self._starts[places],
            }
        )

    def _learn(self, ids: Ints, starts: Ints) -> None:
        """Add series not known yet; ``ids`` sorted, the first of each with its start."""
        distinct, firsts = np.unique(ids, return_index=True)
        new = ~np.isin(distinct, self._ids)
        if len(self._ids) + new.sum() > MAX_SERIES:
            self._ids, self._starts, self._sums = self._ids[:0], self._starts[:0], self._sums[:0]
            new[:] = True
        everyone = np.concatenate([self._ids, distinct[new]])
        order = np.argsort(everyone)
        self._ids = everyone[order]
        self._starts = np.concatenate([self._starts, starts[firsts][new]])[order]
        self._sums = np.concatenate([self._sums, np.zeros(int(new.sum()))])[order]


def _running(values: Floats, firsts: Ints) -> Floats:
    """Running sums within each group, groups beginning at ``firsts``: log2(longest) passes.

    No sum over the whole is taken and subtracted again: rounding, or an infinity, of one series would show
    in the next.
    """
    sums = values.copy()
    lengths = np.diff(np.append(firsts, len(values)))
    ranks = np.arange(len(values)) - np.repeat(firsts, lengths)
    reach = 1
    while reach <= ranks.max(initial=0):
        later = np.flatnonzero(ranks >= reach)
        sums[later] += sums[later - reach]
        reach *= 2
    return sums
