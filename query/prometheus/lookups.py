"""What is known beside samples, and kept as long as they are: ``/metadata`` and ``/query_exemplars``."""

from collections.abc import Iterator

import numpy as np
import orjson
import pyarrow as pa
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from query.limits import Limits
from query.prometheus import answers, encode, params
from query.prometheus.requests import Form, Requests, one, parsed
from query.promql.ast import VectorSelector
from query.promql.lake import EARLIEST_MS, LATEST_MS, LakeSeries
from query.promql.series import Labels
from query.promql.walk import nodes
from vigla.errors import QueryError
from vigla.storage.api import QueryContext, Reader
from vigla.storage.tables import LakeTables, of_series, timestamp_ms

NO_LIMIT = -1
_Told = dict[str, list[dict[str, str]]]


def router(reader: Reader, series: LakeSeries, limits: Limits) -> APIRouter:
    """The routes.

    Args:
        reader: the store.
        series: the same store's labels.
        limits: bounds of every query.
    """
    routes = APIRouter(prefix="/api/v1", include_in_schema=False)
    lookups, requests = _Lookups(reader, series), Requests(limits)

    @routes.get("/metadata")
    async def metadata(request: Request) -> Response:
        return await requests.answered(request, lookups.metadata)

    @routes.api_route("/query_exemplars", methods=["GET", "POST"])
    async def query_exemplars(request: Request) -> Response:
        return await requests.answered(request, lookups.exemplars)

    return routes


class _Lookups:
    """Answers; in a thread."""

    def __init__(self, reader: Reader, series: LakeSeries) -> None:
        self._reader = reader
        self._series = series
        self._tables = LakeTables(())

    def metadata(self, form: Form, context: QueryContext) -> Response:
        """By metric name, what senders say of it, the newest first; ``limit=0`` gives nothing here."""
        most, each = (_limit(form, name) for name in ("limit", "limit_per_metric"))
        rows = self._reader.select(self._metadata_query(one(form, "metric")), context)
        told: _Told = {}
        for row in rows.select(["name", "type", "help", "unit"]).to_pylist():
            of_name = told.setdefault(row.pop("name"), [])
            if each <= 0 or len(of_name) < each:
                of_name.append(row)
        return answers.json(told if most < 0 else dict(list(told.items())[:most]))

    def _metadata_query(self, metric: str) -> sa.Select[tuple[object, ...]]:
        """Each text once, under its newest time."""
        table = self._tables.metric_metadata.c
        texts = (table.name, table.type, table.help, table.unit)
        query = sa.select(*texts, sa.func.max(table.ts).label("ts")).group_by(*texts)
        if metric:
            query = query.where(table.name == metric)
        return query.order_by(table.name, sa.desc("ts"))

    def exemplars(self, form: Form, context: QueryContext) -> Response:
        """Of the series that the expression selects; one without selectors has no content (204)."""
        start, end = params.period(one(form, "start"), one(form, "end"))
        if end < start:
            raise QueryError('invalid parameter "end": end timestamp must not be before start timestamp')
        selectors = [node.matchers for node in nodes(parsed(form)) if isinstance(node, VectorSelector)]
        if not selectors:
            return Response(status_code=204)
        found = self._series.by_id(selectors, context.stop)
        start, end = max(start, EARLIEST_MS), min(end, LATEST_MS)
        if not found or start > end:
            return answers.json([])
        rows = self._reader.select(self._exemplar_query(list(found), start, end), context)
        return answers.ok(b"[" + b",".join(_exemplars(rows, found)) + b"]")

    def _exemplar_query(self, ids: list[int], start: int, end: int) -> sa.Select[tuple[object, ...]]:
        """Each once, by series and time: senders repeat them with every sample."""
        table = self._tables.exemplars
        time = sa.func.epoch_ms(table.c.ts).label("ms")
        return (
            sa.select(table.c.sid, time, table.c.value, table.c.labels)
            .distinct()
            .where(
                table.c.ts >= timestamp_ms(start),
                table.c.ts <= timestamp_ms(end),
                *of_series(table, np.array(ids, np.int64)),
            )
            .order_by(table.c.sid, "ms")
        )


def _exemplars(rows: pa.Table, labels: dict[int, Labels]) -> Iterator[bytes]:
    """``{"seriesLabels", "exemplars"}`` of each series, sorted by labels."""
    ids = rows.column("sid").to_numpy()
    texts = encode.numbers(rows.column("value").to_numpy()).to_pylist()
    times, own = rows.column("ms").to_pylist(), rows.column("labels").to_pylist()
    firsts = np.flatnonzero(np.diff(ids, prepend=ids[:1] - 1))
    ends = dict(zip(firsts.tolist(), [*firsts[1:].tolist(), len(ids)], strict=True))
    for first in sorted(firsts.tolist(), key=lambda place: labels[int(ids[place])]):
        shown = [_exemplar(own[n], texts[n], times[n]) for n in range(first, ends[first])]
        series = orjson.dumps(dict(labels[int(ids[first])]))
        yield b'{"seriesLabels":' + series + b',"exemplars":[' + ",".join(shown).encode() + b"]}"


def _exemplar(labels: str, value: str, time: int) -> str:
    """``labels`` is JSON already."""
    return f'{{"labels":{labels},"value":"{value}","timestamp":{encode.seconds(time)}}}'


def _limit(form: Form, name: str) -> int:
    text = one(form, name)
    if not text:
        return NO_LIMIT
    if not text.removeprefix("-").isdigit():
        raise QueryError(f"{name} must be a number")
    return int(text)
