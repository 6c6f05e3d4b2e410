"""What is stored of decoded samples: series once a day, and which samples may stand twice."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vigla.clock import Clock
from vigla.model.samples import TIME, histogram_schema, sample_schema
from vigla.wire.remote_write.decode import Decoded

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
MAX_METADATA = 100_000  # names remembered; then all of them are forgotten and stored once more
NS_PER_US = 1000
_UNSEEN = -1
_MAX = np.iinfo(np.int64).max

Ints: TypeAlias = npt.NDArray[np.int64]


class SeriesLog:
    """Remembers the series of this day and the last, in arrays sorted by id. For one thread.

    A sample that is newer than all before it of its series cannot be a double, and is stored without ``seq``.
    Others, and the first after a start, get one that grows, so that a reader finds the last of several.

    Args:
        clock: for the time of metadata, which has none.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids, self._checks, self._days, self._newest = (np.zeros(0, np.int64) for _ in range(4))
        self._metadata: dict[str, tuple[str, str, str]] = {}

    def tables(self, decoded: Sequence[Decoded], seq: int) -> dict[str, pa.Table]:
        """Rows to store, by table.

        Args:
            decoded: of one batch, in order.
            seq: greater than in every call before, also before a restart.
        """
        series = _distinct(pa.concat_tables([part.series for part in decoded]))
        self._learn(series)
        known = [self._without_collisions(part) for part in decoded]
        points = {
            "samples": (sample_schema(), pa.concat_tables([part.samples for part in known])),
            "histograms": (histogram_schema(), pa.concat_tables([part.histograms for part in known])),
        }
        stored = {name: self._points(rows, schema, seq) for name, (schema, rows) in points.items()}
        stored["series"] = self._new_days(series, list(stored.values()), seq)
        stored["exemplars"] = pa.concat_tables([part.exemplars for part in decoded])
        stored["metric_metadata"] = self._new_metadata([part.metadata for part in decoded])
        return {name: table for name, table in stored.items() if table.num_rows}

    def _learn(self, series: pa.Table) -> None:
        ids, checks = _ints(series, "sid"), _ints(series, "check")
        new = ~np.isin(ids, self._ids)
        if not new.any():
            return
        added = np.full(int(new.sum()), _UNSEEN, np.int64)
        all_ids = np.concatenate([self._ids, ids[new]])
        order = np.argsort(all_ids, kind="stable")
        self._ids = all_ids[order]
        self._checks = np.concatenate([self._checks, checks[new]])[order]
        self._days = np.concatenate([self._days, added])[order]
        self._newest = np.concatenate([self._newest, np.full(len(added), _MAX)])[order]

    def _without_collisions(self, part: Decoded) -> Decoded:
        """Without samples of labels whose id other labels have: they would be taken for those."""
        ids, checks = _ints(part.series, "sid"), _ints(part.series, "check")
        wrong = self._checks[np.searchsorted(self._ids, ids)] != checks
        if not wrong.any():
            return part
        log.error("series left out, for others have their id: %s", part.series.filter(pa.array(wrong)))
        bad = ids[wrong]
        kept = {
            name: table.filter(pa.array(~np.isin(_ints(table, "sid"), bad)))
            for name, table in (("samples", part.samples), ("histograms", part.histograms))
        }
        return replace(part, **kept)

    def _points(self, rows: pa.Table, schema: pa.Schema, seq: int) -> pa.Table:
        """Rows with ``seq`` where they need it; of several of one series and time in this batch the last."""
        ids, times = _ints(rows, "sid"), _ints(rows, "ts")
        order = np.lexsort((times, ids))
        again = (np.diff(ids[order]) == 0) & (np.diff(times[order]) == 0)
        if again.any():
            kept = np.sort(order[~np.append(again, False)])
            rows, ids, times = rows.take(pa.array(kept)), ids[kept], times[kept]
        late = times <= self._newest[np.searchsorted(self._ids, ids)]
        numbers = pa.array(np.full(len(ids), seq, np.int64), mask=~late)
        return rows.append_column("seq", numbers).select(schema.names)

    def _new_days(self, series: pa.Table, points: list[pa.Table], seq: int) -> pa.Table:
        """A row for each series that has its first sample of a day; remembers the newest samples."""
        ids = np.concatenate([_ints(table, "sid") for table in points])
        times = np.concatenate([_ints(table, "ts") for table in points])
        places = np.searchsorted(self._ids, ids)
        newest = np.full(len(self._ids), np.iinfo(np.int64).min)
        np.maximum.at(newest, places, times)
        seen = np.unique(places)
        before = np.where(self._newest[seen] == _MAX, newest[seen], self._newest[seen])
        self._newest[seen] = np.maximum(before, newest[seen])
        days = newest[seen] // DAY_MS
        fresh = (days > self._days[seen]) | (self._days[seen] == _UNSEEN)
        self._days[seen[fresh]] = days[fresh]
        wanted = self._ids[seen[fresh]]
        rows = series.take(pa.array(np.searchsorted(_ints(series, "sid"), wanted)))
        ends = pa.array(days[fresh] * DAY_MS + DAY_MS - 1).cast(TIME)
        numbers = pa.array(np.full(len(wanted), seq, np.int64))
        self._forget()
        return rows.drop_columns("check").append_column("ts", ends).append_column("seq", numbers)

    def _forget(self) -> None:
        """Leave out series without a sample on the newest day and the one before."""
        kept = self._days >= self._days.max(initial=0) - 1
        if 2 * kept.sum() < len(kept):
            self._ids, self._checks = self._ids[kept], self._checks[kept]
            self._days, self._newest = self._days[kept], self._newest[kept]

    def _new_metadata(self, parts: list[pa.Table]) -> pa.Table:
        """What differs from what was stored last; senders repeat all of it every minute."""
        rows = pa.concat_tables(parts)
        if len(self._metadata) > MAX_METADATA:
            self._metadata.clear()
        changed = []
        for place, (name, *texts) in enumerate(zip(*rows.to_pydict().values(), strict=True)):
            told = (texts[0], texts[1], texts[2])
            if self._metadata.get(name) != told:
                self._metadata[name] = told
                changed.append(place)
        now = pa.array(np.full(len(changed), self._clock.now_ns() // 10**6)).cast(TIME)
        return rows.take(pa.array(changed, pa.int64())).append_column("ts", now)


class NumberedSeries:
    """A ``SeriesLog`` whose batches are numbered by the clock, so that several topics can share it.

    Numbers grow as long as the clock is not set back by more than the time a restart takes. Calls come one at
    a time, and what they give is visible before the next one: readers look for series with higher numbers.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._log = SeriesLog(clock)
        self._last = 0

    def tables(self, decoded: Sequence[Decoded]) -> dict[str, pa.Table]:
        """Rows to store, by table; see ``SeriesLog.tables``."""
        self._last = max(self._last + 1, self._clock.now_ns() // NS_PER_US)
        return self._log.tables(decoded, self._last)


def _distinct(series: pa.Table) -> pa.Table:
    """Each series once, sorted by id."""
    _, firsts = np.unique(_ints(series, "sid"), return_index=True)
    return series.take(pa.array(firsts))


def _ints(table: pa.Table, name: str) -> Ints:
    values: Ints = table.column(name).cast(pa.int64()).to_numpy()
    return values
