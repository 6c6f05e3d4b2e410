"""The lake's tables as SQLAlchemy objects: what query engines build their statements from.

How to keep a statement fast (measured on 10 million spans in 20 files, two cores):

- Compare the bare ``ts`` column with ``timestamp(ns)``: any function over the column defeats file pruning.
- ``trace_id = :id`` needs nothing else: Bloom filters skip all but one row group (13 ms). Above some thousand
  files, add the bounds that ``traces`` has for the id (5 ms).
- Files are sorted by ``service, ts``: with a service and ``ORDER BY ts DESC LIMIT n`` the engine reads the
  newest row groups only (10 ms); ``GROUP BY trace_id`` before the limit reads all of the service (27 ms).
- Use ``attribute_equals`` for an attribute: it spares most rows the JSON parser.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa

from vigla.model.access_logs import access_log_schema
from vigla.model.samples import SAMPLE_TABLES, sample_schemas
from vigla.model.spans import Promoted, span_schema, summary_schema
from vigla.storage.api import Period

Ints = npt.NDArray[np.int64]
LISTED = 1000  # ids written into a statement; more are joined, which prunes row groups by range only
# Longer keys and keys that JSON would escape go without the cheap test for the key's bytes.
_PLAIN_KEY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:")


def timestamp(ns: int) -> sa.ColumnElement[Any]:
    """A point in time as a value to compare ``ts`` with; Python's own datetime would lose nanoseconds.

    Args:
        ns: nanoseconds since the Unix epoch.
    """
    return sa.func.make_timestamp_ns(sa.bindparam(None, ns, sa.BigInteger))


class Milliseconds(sa.types.UserDefinedType[Any]):
    """DuckDB's TIMESTAMP_MS."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name."""
        return "TIMESTAMP_MS"


def timestamp_ms(ms: int) -> sa.ColumnElement[Any]:
    """A point in time as a value to compare the ``ts`` of samples with.

    Args:
        ms: milliseconds since the Unix epoch.
    """
    return sa.cast(sa.func.make_timestamp(sa.bindparam(None, ms * 1000, sa.BigInteger)), Milliseconds())


def time_value(table: sa.Table, ns: int) -> sa.ColumnElement[Any]:
    """A point in time as a value to compare the ``ts`` of this table with."""
    return timestamp_ms(ns // 10**6) if table.name in SAMPLE_TABLES else timestamp(ns)


class LakeTables:
    """Table objects for one set of promoted attributes.

    Args:
        promoted: attributes with a column of their own.

    Attributes:
        spans: one row per span.
        traces: one row per trace and flush; rows of one ``trace_id`` are merged by the reader.
        archived_spans: as ``spans``, kept until removed by hand.
        access_logs: one row per entry that a proxy logged.
        series, samples, histograms, exemplars, metric_metadata: see ``vigla.model.samples``.
        dated: tables whose newest ``ts`` tells what time it is.
        all: all of them.
        names: their names.
    """

    def __init__(self, promoted: tuple[Promoted, ...]) -> None:
        self.promoted = promoted
        self._by_key = {p.key: p for p in promoted}
        self.spans = _table("spans", span_schema(promoted))
        self.traces = _table("traces", summary_schema())
        self.archived_spans = _table("archived_spans", span_schema(promoted))
        self.access_logs = _table("access_logs", access_log_schema())
        schemas = sample_schemas()
        self.series = _table("series", schemas["series"])
        self.samples = _table("samples", schemas["samples"])
        self.histograms = _table("histograms", schemas["histograms"])
        self.exemplars = _table("exemplars", schemas["exemplars"])
        self.metric_metadata = _table("metric_metadata", schemas["metric_metadata"])
        metrics = (self.series, self.samples, self.histograms, self.exemplars, self.metric_metadata)
        self.all = (self.spans, self.traces, self.archived_spans, self.access_logs, *metrics)
        self.dated = (self.spans, self.access_logs, self.samples, self.histograms)
        self.names = frozenset(table.name for table in self.all)

    def attribute(self, table: sa.FromClause, key: str) -> sa.ColumnElement[str]:
        """The value of a span attribute as text, NULL when the span has none.

        Looks in the promoted column, if there is one, and in ``attrs``: there are values of another type, and
        those of files older than the column. A number is its JSON text, a boolean ``true`` or ``false``.

        Args:
            table: ``spans``, ``archived_spans`` or an alias or subquery with their columns.
            key: the attribute's name; any characters.
        """
        in_json = sa.func.json_extract_string(table.c.attrs, _pointer(key), type_=sa.Text)
        promoted = self._by_key.get(key)
        if promoted is None:
            return in_json
        return sa.func.coalesce(sa.cast(table.c[promoted.column], sa.Text), in_json, type_=sa.Text)

    def attribute_equals(self, table: sa.FromClause, key: str, text: str) -> sa.ColumnElement[bool]:
        """Whether ``attribute`` equals ``text``; the fast way to ask.

        Args:
            table: as for ``attribute``.
            key: the attribute's name.
            text: the value as text.
        """
        in_json = sa.func.json_extract_string(table.c.attrs, _pointer(key), type_=sa.Text) == text
        if set(key) <= _PLAIN_KEY:
            # Searching for bytes costs a tenth of parsing. Compact JSON has no space between key and value.
            in_json = sa.and_(_contains(table.c.attrs, f'"{key}":'), _contains_value(table, text), in_json)
        promoted = self._by_key.get(key)
        if promoted is None:
            return in_json
        column = table.c[promoted.column]
        return sa.or_(_column_equals(column, promoted, text), sa.and_(column.is_(None), in_json))


def _column_equals(column: sa.ColumnElement[Any], promoted: Promoted, text: str) -> sa.ColumnElement[bool]:
    """Compares the column in its own type, so that row groups are skipped by their statistics."""
    if promoted.type == "string":
        return column == text
    canonical = text.isascii() and text.removeprefix("-").isdigit() and str(int(text)) == text
    if not canonical or not -(2**63) <= int(text) < 2**63:
        return sa.false()
    return column == sa.bindparam(None, int(text), sa.BigInteger)


def _contains(column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    return sa.func.contains(column, text, type_=sa.Boolean)


def _contains_value(table: sa.FromClause, text: str) -> sa.ColumnElement[bool]:
    if set(text) <= _PLAIN_KEY:
        return _contains(table.c.attrs, text)
    return sa.true()


def _pointer(key: str) -> str:
    """JSON pointer (RFC 6901) to a member of the top object: unlike a JSON path it can name every key."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _table(name: str, schema: pa.Schema) -> sa.Table:
    return sa.Table(name, sa.MetaData(), *(sa.Column(f.name, _type(f.type)) for f in schema))


def _type(arrow: pa.DataType) -> sa.types.TypeEngine[Any]:
    if pa.types.is_list(arrow):
        return sa.ARRAY(_type(arrow.value_type))
    if pa.types.is_timestamp(arrow):
        return Milliseconds() if arrow.unit == "ms" else sa.DateTime()
    if pa.types.is_floating(arrow):
        return sa.Double()
    if pa.types.is_int64(arrow):
        return sa.BigInteger()
    if pa.types.is_integer(arrow):
        return sa.Integer()
    return sa.Text()


def in_range(table: sa.Table, sids: Ints, start_ms: int, end_ms: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Conditions that rows are of these series, at least one, and in a range of time."""
    return (
        table.c.ts >= timestamp_ms(start_ms),
        table.c.ts <= timestamp_ms(end_ms),
        *of_series(table, sids),
    )


def of_series(table: sa.Table, sids: Ints) -> tuple[sa.ColumnElement[bool], ...]:
    """Conditions that rows are of these series, at least one."""
    if len(sids) <= LISTED:
        return (table.c.sid.in_(sids.tolist()),)
    many = sa.bindparam(None, sids.tolist(), sa.ARRAY(sa.BigInteger))
    bounds = table.c.sid.between(int(sids.min()), int(sids.max()))
    return (bounds, table.c.sid.in_(sa.select(sa.func.unnest(many))))


def points_query(tables: LakeTables, sids: Ints, period: Period) -> sa.Select[Any]:
    """Samples of series; their time as milliseconds."""
    samples = tables.samples
    columns = (samples.c.sid, samples.c.value, samples.c.seq, samples.c.start)
    query = sa.select(sa.func.epoch_ms(samples.c.ts).label("ts"), *columns)
    return query.where(*in_range(samples, sids, period.start_ms, period.end_ms))
