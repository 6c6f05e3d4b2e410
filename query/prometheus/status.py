"""``/status/...``, ``/-/healthy`` and ``/-/ready``: what clients ask of the server itself."""

import datetime as dt
import os
import platform
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from query.limits import Limits
from query.prometheus import answers, params
from query.prometheus.requests import Form, Requests, one
from query.prometheus.targets import Targets
from query.promql.context import EngineOptions
from query.promql.labelsets import NAME
from query.promql.lake import LakeSeries
from vigla.clock import Clock
from vigla.errors import QueryError
from vigla.prometheus.durations import format_duration
from vigla.storage.api import QueryContext, Reader
from vigla.storage.inventory import DataFile
from vigla.storage.tables import LakeTables

API_VERSION = "3.14.0"
"""Of the API: clients such as Grafana decide by it what they may ask. Ours is in ``revision``."""

NS_PER_MS = 1_000_000
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DEFAULT_COUNTS, MOST_COUNTS = 10, 10_000


def router(reader: Reader, series: LakeSeries, limits: Limits, clock: Clock, targets: Targets) -> APIRouter:
    """The routes.

    Args:
        reader: the store.
        series: the same store's labels.
        limits: bounds of every query; some are told.
        clock: the server's time.
        targets: what is scraped, by which configuration.
    """
    routes = APIRouter(include_in_schema=False)
    status, requests = _Status(reader, series, limits, clock), Requests(limits)
    for path, work in (
        ("buildinfo", status.build),
        ("config", lambda _form, _context: answers.json({"yaml": targets.configuration()})),
        ("flags", status.flags),
        ("runtimeinfo", status.runtime),
        ("tsdb", status.counts),
        ("tsdb/blocks", status.blocks),
        ("walreplay", status.replay),
    ):
        _add(routes, requests, path, work)

    @routes.get("/version")
    async def build_version() -> Response:
        return Response(orjson.dumps(_build()), media_type="application/json")

    @routes.api_route("/-/healthy", methods=["GET", "HEAD"])
    async def healthy() -> Response:
        return PlainTextResponse("vigla is Healthy.\n")

    @routes.api_route("/-/ready", methods=["GET", "HEAD"])
    async def ready() -> Response:
        return PlainTextResponse("vigla is Ready.\n")

    return routes


def _add(routes: APIRouter, requests: Requests, path: str, work: Any) -> None:
    async def handler(request: Request) -> Response:
        return await requests.answered(request, work)

    routes.get(f"/api/v1/status/{path}", name=path)(handler)


class _Status:
    """Answers; in a thread."""

    def __init__(self, reader: Reader, series: LakeSeries, limits: Limits, clock: Clock) -> None:
        self._reader = reader
        self._series = series
        self._settings = limits.settings
        self._clock = clock
        self._started = clock.now_ns()
        self._tables = LakeTables(())

    def build(self, _form: Form, _context: QueryContext) -> Response:
        """Versions. Without ``features``: Grafana takes a server that names some for Mimir."""
        return answers.json(_build())

    def flags(self, _form: Form, _context: QueryContext) -> Response:
        """Our bounds under the names of Prometheus' flags."""
        options = EngineOptions()
        flags = {
            "query.lookback-delta": format_duration(options.lookback_ms),
            "query.max-concurrency": str(self._settings.max_concurrent),
            "query.max-samples": str(options.max_samples),
            "query.timeout": format_duration(int(self._settings.promql_timeout_s * 1000)),
            "web.enable-admin-api": str(self._settings.admin_api).lower(),
            "web.enable-lifecycle": "false",
        }
        return answers.json(flags)

    def runtime(self, _form: Form, context: QueryContext) -> Response:
        """The process."""
        info = {
            "startTime": _rfc3339(self._started),
            "CWD": str(Path.cwd()),
            "hostname": socket.gethostname(),
            "serverTime": _rfc3339(self._clock.now_ns()),
            "reloadConfigSuccess": True,
            "lastConfigTime": _rfc3339(self._started),
            "timeSeriesCount": len(self._series.by_id((), context.stop)),
            "corruptionCount": 0,
            "goroutineCount": threading.active_count(),
            "GOMAXPROCS": os.cpu_count() or 1,
            "GOMEMLIMIT": 0,
            "GOGC": "",
            "GODEBUG": "",
            "storageRetention": "",
        }
        return answers.json(info)

    def replay(self, _form: Form, _context: QueryContext) -> Response:
        """Nothing: requests are answered while what was not in the lake is read from the bus."""
        return answers.json({"min": 0, "max": 0, "current": 0})

    def counts(self, form: Form, context: QueryContext) -> Response:
        """Counts of series. Memory by label is not known, so that list is empty."""
        most = params.limit(one(form, "limit")) or DEFAULT_COUNTS
        if most > MOST_COUNTS:
            raise QueryError(f'invalid parameter "limit": limit must not exceed {MOST_COUNTS}')
        found = self._series.by_id((), context.stop)
        pairs = Counter(pair for labels in found.values() for pair in labels)
        first, last = self._bounds(context)
        data = {
            "headStats": {
                "numSeries": len(found),
                "numLabelPairs": len(pairs),
                "chunkCount": 0,
                "minTime": first,
                "maxTime": last,
            },
            "seriesCountByMetricName": _largest({v: n for (k, v), n in pairs.items() if k == NAME}, most),
            "labelValueCountByLabelName": _largest(Counter(name for name, _ in pairs), most),
            "memoryInBytesByLabelName": [],
            "seriesCountByLabelValuePair": _largest({f"{k}={v}": n for (k, v), n in pairs.items()}, most),
        }
        return answers.json(data)

    def blocks(self, _form: Form, _context: QueryContext) -> Response:
        """Files of samples under the names of Prometheus' blocks; those of the hot buffer are in none."""
        return answers.json({"blocks": [_block(file) for file in self._reader.files("samples")]})

    def _bounds(self, context: QueryContext) -> tuple[int, int]:
        """Milliseconds of the oldest and the newest sample; 0 without samples."""
        times = self._tables.samples.c.ts
        query = sa.select(sa.func.epoch_ms(sa.func.min(times)), sa.func.epoch_ms(sa.func.max(times)))
        low, high = (column[0].as_py() for column in self._reader.select(query, context).columns)
        return low or 0, high or 0


def _block(file: DataFile) -> dict[str, Any]:
    """Times in milliseconds, the last excluded as in Prometheus. The merging of files has no levels."""
    return {
        "ulid": _ulid(uuid.UUID(file.path.stem)),
        "minTime": file.min_ns // NS_PER_MS,
        "maxTime": file.max_ns // NS_PER_MS + 1,
        "stats": {"numSamples": file.rows, "numBytes": file.size},
        "compaction": {"level": 1},
        "version": 1,
    }


def _ulid(number: uuid.UUID) -> str:
    """The same 128 bits in Crockford's alphabet."""
    return "".join(_CROCKFORD[number.int >> shift & 31] for shift in range(125, -1, -5))


def _build() -> dict[str, str]:
    return {
        "version": API_VERSION,
        "revision": f"vigla {version('vigla')}",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": f"python {platform.python_version()}",
    }


def _largest(counts: Mapping[str, int], most: int) -> list[dict[str, Any]]:
    ordered: Iterable[tuple[str, int]] = Counter(counts).most_common(most)
    return [{"name": name, "value": count} for name, count in ordered]


def _rfc3339(ns: int) -> str:
    return dt.datetime.fromtimestamp(ns / 1e9, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
