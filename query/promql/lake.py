"""Series in the lake, as the engine reads them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa

from query.promql.ast import Matcher
from query.promql.errors import TooManySamples
from query.promql.histogram_rows import histograms_of
from query.promql.series import Labels, SeriesBatch
from query.promql.series_index import SeriesIndex
from vigla.errors import ResultTooLarge
from vigla.storage.api import Period, Points, QueryContext, Reader, Stop
from vigla.storage.tables import LakeTables, in_range

MAX_SERIES = 50_000_000
EARLIEST_MS, LATEST_MS = -8_500_000_000_000, 9_200_000_000_000  # what the engine's nanoseconds can hold

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which samples to read."""

    ids: Ints
    start: int
    end: int
    context: QueryContext


class LakeSeries:
    """A ``query.promql.series.SeriesSource`` over a store. Thread-safe.

    The labels of all series are kept in memory and brought up to date before each selection; samples are read
    from files and hot buffer with one statement a table.

    Args:
        reader: the store.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._tables = LakeTables(())
        self._index = SeriesIndex()
        self._seen = self._appended = -1
        self._lock = threading.Lock()

    def select(
        self, matchers: Sequence[Matcher], start: int, end: int, *, max_samples: int, stop: Stop
    ) -> SeriesBatch:
        """Samples of the series that every matcher accepts, sorted by labels; see ``SeriesSource``."""
        stop.check()
        ids, labels = self._matching(matchers, stop)
        start, end = max(start, EARLIEST_MS), min(end, LATEST_MS)
        if not len(ids) or start > end:
            return _empty()
        wanted = _Wanted(ids, start, end, QueryContext(stop, max_samples))
        self._check_size(wanted)
        try:
            batch = self._batch(wanted, labels)
        except ResultTooLarge as error:
            raise TooManySamples from error
        if len(batch.times) > max_samples:
            raise TooManySamples
        return batch

    def _check_size(self, wanted: _Wanted) -> None:
        """Refuse what is too much before any of it is in memory.

        Rows are counted only where one a second would be too many; denser ones are refused while being read.
        """
        seconds = (wanted.end - wanted.start) // 1000 + 1
        if len(wanted.ids) * seconds <= wanted.context.max_rows:
            return
        counted = 0
        for table in (self._tables.samples, self._tables.histograms):
            query = sa.select(sa.func.count()).select_from(table).where(*_in_range(table, wanted))
            counted += self._reader.select(query, wanted.context).column(0)[0].as_py()
        if counted > wanted.context.max_rows:
            raise TooManySamples

    def label_sets(
        self, selectors: Sequence[Sequence[Matcher]], start: int, end: int, stop: Stop
    ) -> list[Labels]:
        """Label sets of series with a sample in a range; see ``query.prometheus.store.MetricStore``.

        Without a range the labels that are kept are all that is read.
        """
        found = self.by_id(selectors, stop)
        if not found or (start <= EARLIEST_MS and end >= LATEST_MS):
            return sorted(found.values())
        start, end = max(start, EARLIEST_MS), min(end, LATEST_MS)
        if start > end:
            return []
        wanted = _Wanted(np.array(list(found), np.int64), start, end, QueryContext(stop, MAX_SERIES))
        tables = (self._tables.samples, self._tables.histograms)
        seen = {sid for table in tables for sid in self._present(table, wanted)}
        return sorted(found[sid] for sid in seen)

    def by_id(self, selectors: Sequence[Sequence[Matcher]], stop: Stop) -> dict[int, Labels]:
        """Label sets by ``sid`` of the series that any selector accepts; without selectors all."""
        found: dict[int, Labels] = {}
        for matchers in selectors or [()]:
            ids, labels = self._matching(matchers, stop)
            found |= zip(ids.tolist(), labels, strict=True)
        return found

    def _present(self, table: sa.Table, wanted: _Wanted) -> list[int]:
        """Ids of series that have a row in the range."""
        query = sa.select(table.c.sid).distinct().where(*_in_range(table, wanted))
        ids: list[int] = self._reader.select(query, wanted.context).column("sid").to_pylist()
        return ids

    def _matching(self, matchers: Sequence[Matcher], stop: Stop) -> tuple[Ints, list[Labels]]:
        """Ids and label sets, sorted by labels."""
        with self._lock:
            self._refresh(stop)
            places = self._index.matching(matchers)
            labels = [self._index.labels[place] for place in places]
            ids = self._index.ids(places)
        order = sorted(range(len(labels)), key=labels.__getitem__)
        return ids[order], [labels[place] for place in order]

    def _refresh(self, stop: Stop) -> None:
        """Take in the series that were added since the last look: ``seq`` only grows."""
        appended = self._reader.appended(self._tables.series.name)
        if appended == self._appended:
            return
        series = self._tables.series.c
        query = sa.select(series.sid, series.labels, series.seq).where(series.seq > self._seen)
        rows = self._reader.select(query, QueryContext(stop, MAX_SERIES))
        if rows.num_rows:
            self._index.add(rows)
            self._seen = int(np.max(rows.column("seq").to_numpy()))
        self._appended = appended

    def _batch(self, wanted: _Wanted, labels: list[Labels]) -> SeriesBatch:
        """``seq`` is read only where samples are doubled, as after a sender's repetition."""
        histograms = self._histograms(wanted)
        for sequence in (False, True):
            period = Period(wanted.start, wanted.end, sequence)
            points = self._reader.points(np.sort(wanted.ids), period, wanted.context)
            if sequence and points.seqs is None:
                points = replace(points, seqs=np.full(len(points.sids), -1, np.int64))
            made = _batch(wanted.ids, labels, _with_histograms(points, histograms), histograms)
            if made is not None:
                return made
        raise AssertionError("with seq nothing is doubled")

    def _histograms(self, wanted: _Wanted) -> pa.Table | None:
        """None: there are none in the range."""
        table = self._tables.histograms
        if not self._reader.may_have(table.name, wanted.start, wanted.end):
            return None
        columns = [column for column in table.c if column.name != "ts"]
        query = sa.select(sa.func.epoch_ms(table.c.ts).label("ts"), *columns).where(*_in_range(table, wanted))
        return self._reader.select(query, wanted.context)


def _in_range(table: sa.Table, wanted: _Wanted) -> tuple[sa.ColumnElement[bool], ...]:
    return in_range(table, wanted.ids, wanted.start, wanted.end)


def _batch(ids: Ints, labels: list[Labels], rows: Points, histograms: pa.Table | None) -> SeriesBatch | None:
    """Rows in order, series without rows left out; None: there are several of one series and time.

    Args:
        ids: of all series.
        labels: of these.
        rows: samples, and behind them those that are histograms.
        histograms: their rows.
    """
    order, of_row = _in_runs(ids, rows) if rows.seqs is None else _in_order(ids, rows)
    times = rows.times[order]
    ascending = np.diff(times) > 0
    if not (ascending | (np.diff(of_row) != 0)).all():
        if rows.seqs is None:
            return None
        last = np.append((np.diff(of_row) != 0) | ascending, True)
        order, of_row, times = order[last], of_row[last], times[last]
    firsts = np.flatnonzero(np.diff(of_row, prepend=-1))
    starts = None if rows.starts is None else rows.starts[order]
    return SeriesBatch(
        labels=[labels[place] for place in of_row[firsts].tolist()],
        offsets=np.append(firsts, len(of_row)).astype(np.int64),
        times=times,
        values=rows.values[order],
        histograms=_objects(histograms, order, len(rows.sids)),
        start_times=starts if starts is not None and starts.any() else None,
    )


def _with_histograms(points: Points, histograms: pa.Table | None) -> Points:
    """Samples, and behind them histograms."""
    if histograms is None or not histograms.num_rows:
        return points

    def more(floats: Ints | None, name: str, missing: int) -> Ints:
        own = np.full(len(points.sids), missing, np.int64) if floats is None else floats
        return np.concatenate([own, histograms.column(name).cast(pa.int64()).fill_null(missing).to_numpy()])

    return Points(
        more(points.sids, "sid", 0),
        more(points.times, "ts", 0),
        np.concatenate([points.values, np.full(histograms.num_rows, np.nan)]),
        more(points.seqs, "seq", -1),
        more(points.starts, "start", 0),
    )


def _in_runs(ids: Ints, rows: Points) -> tuple[Ints, Ints]:
    """Order of rows by series, and the series of each: runs of one series are moved as a whole.

    Files are read in the order of their time, so that rows of a series mostly are in order then.
    """
    starts = np.flatnonzero(np.diff(rows.sids, prepend=rows.sids[:1] + 1))
    lengths = np.diff(np.append(starts, len(rows.sids)))
    numbers = _numbers(ids, rows.sids[starts])
    sequence = np.argsort(numbers, kind="stable")
    lengths = lengths[sequence]
    order = np.repeat(starts[sequence] - np.cumsum(lengths) + lengths, lengths) + np.arange(len(rows.sids))
    return order, np.repeat(numbers[sequence], lengths)


def _in_order(ids: Ints, rows: Points) -> tuple[Ints, Ints]:
    """Order of rows by series, time and ``seq``, and the series of each."""
    numbers = _numbers(ids, rows.sids)
    order = np.lexsort((np.zeros(len(numbers)) if rows.seqs is None else rows.seqs, rows.times, numbers))
    return order, numbers[order]


def _numbers(ids: Ints, sids: Ints) -> Ints:
    """Places of ``sids`` in ``ids``."""
    number = np.argsort(ids)
    numbers: Ints = number[np.searchsorted(ids[number], sids)]
    return numbers


def _objects(histograms: pa.Table | None, order: Ints, rows: int) -> npt.NDArray[np.object_] | None:
    if histograms is None or not histograms.num_rows:
        return None
    floats = rows - histograms.num_rows
    if not (order >= floats).any():
        return None
    objects: npt.NDArray[Any] = np.empty(rows, np.object_)
    objects[floats:] = histograms_of(histograms)
    return objects[order]


def _empty() -> SeriesBatch:
    return SeriesBatch([], np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0))
