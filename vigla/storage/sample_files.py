"""Samples straight from their Parquet files: row groups are decoded once and kept while there is room.

A statement over the lake costs 15 ms before it reads anything; a dashboard asks for the same series again and
again. Files never change, so what was decoded stays right.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from vigla.errors import ResultTooLarge
from vigla.storage.api import Period, Points, QueryContext
from vigla.storage.inventory import DataFile

Ints = npt.NDArray[np.int64]
COLUMNS = ("sid", "ts", "value", "seq", "start")
_FOOTERS = 4096
_WHOLE = Period(0, 0, sequence=True)
_ROW_BYTES = 40  # of decoded rows
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Footer:
    """Of one file: bounds of ``sid`` in each row group."""

    metadata: pq.FileMetaData
    lowest: Ints
    highest: Ints


class SampleFiles:
    """Reads samples of files of the table ``samples``. Thread-safe.

    Args:
        room_bytes: of decoded row groups that are kept.
    """

    def __init__(self, room_bytes: int) -> None:
        self._room = room_bytes
        self._held = 0
        self._groups: OrderedDict[tuple[Path, int], Points] = OrderedDict()
        self._footers: OrderedDict[Path, _Footer] = OrderedDict()
        self._lock = threading.Lock()

    def read(
        self, files: Sequence[DataFile], sids: Ints, period: Period, context: QueryContext
    ) -> list[Points]:
        """Samples of series in a range, in parts.

        Args:
            files: to look into.
            sids: of the series, sorted, at least one.
            period: of the samples.
            context: bounds.

        Raises:
            QueryStopped: stopped, or more rows than allowed.
            OSError: a file is gone.
        """
        parts: list[Points] = []
        rows = 0
        for file in files:
            if file.max_ns < period.start_ms * NS_PER_MS or file.min_ns > period.end_ms * NS_PER_MS:
                continue
            for group in self._decoded(file.path, sids):
                context.stop.check()
                part = taken(group, sids, period)
                rows += len(part.sids)
                if rows > context.max_rows:
                    raise ResultTooLarge(f"more than {context.max_rows:,} samples: narrow the query")
                if len(part.sids):
                    parts.append(part)
        return parts

    def _decoded(self, path: Path, sids: Ints) -> Iterator[Points]:
        """Row groups that may have one of the series; those that are not kept are read together."""
        footer = self._footer(path)
        first = np.searchsorted(sids, footer.lowest, "left")
        last = np.searchsorted(sids, footer.highest, "right")
        wanted = np.flatnonzero(first < last).tolist()
        with self._lock:
            known = {number: self._groups.get((path, number)) for number in wanted}
            for number, group in known.items():
                if group is not None:
                    self._groups.move_to_end((path, number))
        missing = [number for number, group in known.items() if group is None]
        yield from (group for group in known.values() if group is not None)
        if missing:
            yield from self._read(path, footer, missing)

    def _read(self, path: Path, footer: _Footer, numbers: Sequence[int]) -> Iterator[Points]:
        metadata = footer.metadata
        present = set(metadata.schema.to_arrow_schema().names)
        columns = [name for name in COLUMNS if name in present]
        file = pq.ParquetFile(path, metadata=metadata)
        sizes = [metadata.row_group(number).num_rows for number in numbers]
        step = max(1, self._room // 4 // (max(sizes) * _ROW_BYTES))
        for at in range(0, len(numbers), step):
            table = file.read_row_groups(list(numbers[at : at + step]), columns=columns)
            points = points_of(table)
            begin = 0
            for number, size in zip(numbers[at : at + step], sizes[at : at + step], strict=True):
                group = _slice(points, begin, begin + size, _WHOLE)
                begin += size
                self._keep((path, number), group)
                yield group

    def _keep(self, key: tuple[Path, int], group: Points) -> None:
        size = len(group.sids) * _ROW_BYTES
        with self._lock:
            if key in self._groups or size > self._room:
                return
            self._groups[key] = group
            self._held += size
            while self._held > self._room:
                _, old = self._groups.popitem(last=False)
                self._held -= len(old.sids) * _ROW_BYTES

    def _footer(self, path: Path) -> _Footer:
        with self._lock:
            known = self._footers.get(path)
        if known is not None:
            return known
        metadata = pq.read_metadata(path)
        place = metadata.schema.names.index("sid")
        bounds = [metadata.row_group(n).column(place).statistics for n in range(metadata.num_row_groups)]
        footer = _Footer(
            metadata,
            np.array([each.min for each in bounds], np.int64),
            np.array([each.max for each in bounds], np.int64),
        )
        with self._lock:
            self._footers[path] = footer
            while len(self._footers) > _FOOTERS:
                self._footers.popitem(last=False)
        return footer


def points_of(rows: pa.Table, *, sequence: bool = True) -> Points:
    """Rows of ``samples`` as arrays; with ``sequence`` also their ``seq``."""
    return Points(
        rows.column("sid").to_numpy(),
        rows.column("ts").cast(pa.int64()).to_numpy(),
        rows.column("value").to_numpy(),
        _ints(rows, "seq", -1) if sequence else None,
        _ints(rows, "start", 0),
    )


def _ints(rows: pa.Table, name: str, missing: int) -> Ints | None:
    """None: there is no value in the column."""
    column = rows.column(name) if name in rows.column_names else None
    if column is None or column.null_count == len(column):
        return None
    return np.asarray(column.fill_null(missing).to_numpy(), np.int64)


def taken(rows: Points, sids: Ints, period: Period) -> Points:
    """Those of some series (sorted) in a range, of rows that are sorted by series.

    The series of a metric have neighbouring ids, so that mostly one slice has all that is wanted.
    """
    low, high = np.searchsorted(sids, rows.sids[[0, -1]]) if len(rows.sids) else (0, -1)
    own = sids[low : high + 1]
    first, last = np.searchsorted(rows.sids, own, "left"), np.searchsorted(rows.sids, own, "right")
    lengths = last - first
    total = int(lengths.sum())
    if total and total == last[-1] - first[0]:
        part = _slice(rows, int(first[0]), int(last[-1]), period)
        inside = (part.times >= period.start_ms) & (part.times <= period.end_ms)
        return part if inside.all() else _at(part, inside, period)
    places = np.repeat(first - np.cumsum(lengths) + lengths, lengths) + np.arange(total)
    times = rows.times[places]
    return _at(rows, places[(times >= period.start_ms) & (times <= period.end_ms)], period)


def among(rows: Points, sids: Ints, period: Period) -> Points:
    """Those of some series (sorted) in a range, of rows in any order."""
    places = np.searchsorted(sids, rows.sids)
    places[places == len(sids)] = 0
    fits = (sids[places] == rows.sids) & (rows.times >= period.start_ms) & (rows.times <= period.end_ms)
    return _at(rows, np.flatnonzero(fits), period)


def joined(parts: Sequence[Points]) -> Points:
    """All parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        none = np.zeros(0, np.int64)
        return Points(none, none, np.zeros(0), None, None)
    return Points(
        np.concatenate([part.sids for part in parts]),
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
        _concatenated([part.seqs for part in parts], parts, -1),
        _concatenated([part.starts for part in parts], parts, 0),
    )


def _concatenated(columns: Sequence[Ints | None], parts: Sequence[Points], missing: int) -> Ints | None:
    if all(column is None for column in columns):
        return None
    return np.concatenate(
        [
            np.full(len(part.sids), missing, np.int64) if column is None else column
            for column, part in zip(columns, parts, strict=True)
        ]
    )


def _at(rows: Points, places: npt.NDArray[np.intp] | npt.NDArray[np.bool_], period: Period) -> Points:
    return Points(
        rows.sids[places],
        rows.times[places],
        rows.values[places],
        rows.seqs[places] if period.sequence and rows.seqs is not None else None,
        None if rows.starts is None else rows.starts[places],
    )


def _slice(rows: Points, begin: int, end: int, period: Period) -> Points:
    part = slice(begin, end)
    return Points(
        rows.sids[part],
        rows.times[part],
        rows.values[part],
        rows.seqs[part] if period.sequence and rows.seqs is not None else None,
        None if rows.starts is None else rows.starts[part],
    )
