"""Latency of the HTTP API on 10 million stored spans over 10 days, and their size on disk.

``python -m benchmarks.query [--spans 10000000] [--path DIR] [--requests 100] [--cold 5]`` fills a lake
through the server (or takes the one that stands at ``--path``), restarts the server on it and measures each
kind of request from sending it to having read the answer. Warm: one client after some unmeasured requests,
every request with other parameters. Cold: the first request after the server was restarted and the kernel's
page cache dropped (as root; otherwise only restarted, and the result says so).
"""

import argparse
import itertools
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.progress import track

import vigla
from benchmarks.lake import Contents, ensure, parquet_bytes
from benchmarks.process import cpu_seconds
from benchmarks.report import publish, table, verdict
from benchmarks.serving import Server
from benchmarks.tracegen import KEYS, SERVICES, VALUES

DROP_CACHES = Path("/proc/sys/vm/drop_caches")
GOAL_BYTES_PER_SPAN = 56.0
JAEGER_BYTES_PER_SPAN = 75.7
WARM_UP = 10
LIMIT = 20  # traces a search gives, as in Jaeger's UI

Requests = Iterator[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table: path and parameters of its requests, without end."""

    name: str
    requests: Callable[[Contents, list[str]], Requests]
    goal_ms: float | None = None
    jaeger_ms: float | None = None


def _search(contents: Contents, number: int, **filters: str) -> tuple[str, dict[str, Any]]:
    everywhere = {
        "start": contents.start_ns // 1000,
        "end": contents.end_ns // 1000 + 60_000_000,
        "limit": LIMIT,
    }
    return "/api/traces", {"service": f"tracegen-{number % SERVICES:02d}", **everywhere, **filters}


def _tag(number: int) -> str:
    pair = number * 7919 % (KEYS * VALUES)
    return json.dumps({f"attr_{pair % KEYS:02d}": f"val_{pair % VALUES:02d}"})


def _by_id(_: Contents, ids: list[str]) -> Requests:
    return ((f"/api/traces/{trace}", {}) for trace in itertools.cycle(ids))


def _by_service(contents: Contents, _: list[str]) -> Requests:
    return (_search(contents, n) for n in itertools.count())


def _by_operation(contents: Contents, _: list[str]) -> Requests:
    return (_search(contents, n, operation=f"child-span-{n % 9:02d}") for n in itertools.count())


def _by_duration(contents: Contents, _: list[str]) -> Requests:
    return (
        _search(contents, n, minDuration=f"{20 + n % 7}ms", maxDuration=f"{25 + n % 7}ms")
        for n in itertools.count()
    )


def _by_attribute(contents: Contents, _: list[str]) -> Requests:
    return (_search(contents, n, tags=_tag(n)) for n in itertools.count())


def _by_all(contents: Contents, _: list[str]) -> Requests:
    return (
        _search(
            contents,
            n,
            operation=f"child-span-{n % 9:02d}",
            tags=_tag(n),
            minDuration="1ms",
            maxDuration="10ms",
        )
        for n in itertools.count()
    )


def _services(_: Contents, __: list[str]) -> Requests:
    return itertools.repeat(("/api/services", {}))


def _operations(_: Contents, __: list[str]) -> Requests:
    return ((f"/api/services/tracegen-{n % SERVICES:02d}/operations", {}) for n in itertools.count())


KINDS = (
    Kind("trace by id", _by_id, 20, 101),
    Kind("search by service", _by_service, 30, 37),
    Kind("search by operation", _by_operation, 30, 38),
    Kind("search by duration", _by_duration, 40, 43),
    Kind("search by attribute equality", _by_attribute, 150, 1769),
    Kind("search by all filters", _by_all, 60, 139),
    Kind("services", _services, None, 3),
    Kind("operations", _operations, None, 4),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of each request; means of the server's CPU time and of the answer's size when warm."""

    warm_ms: list[float]
    cpu_ms: float
    answer_bytes: float
    cold_ms: list[float]


def _timed(client: httpx.Client, request: tuple[str, dict[str, Any]]) -> tuple[float, int]:
    path, parameters = request
    begun = time.perf_counter()
    answer = client.get(path, params=parameters)
    elapsed_ms = (time.perf_counter() - begun) * 1000
    answer.raise_for_status()
    return elapsed_ms, len(answer.content)


def _drop_page_cache() -> bool:
    os.sync()
    try:
        DROP_CACHES.write_text("3", encoding="ascii")
    except PermissionError:
        return False
    return True


def warm(server: Server, kind: Kind, contents: Contents, ids: list[str], requests: int) -> Measured:
    """Latencies of ``requests`` requests to a server that has answered some of the kind."""
    stream = kind.requests(contents, ids)
    with httpx.Client(base_url=server.query_url, timeout=60) as client:
        for request in itertools.islice(stream, WARM_UP):
            _timed(client, request)
        begun = cpu_seconds(server.pid)
        measured = [_timed(client, request) for request in itertools.islice(stream, requests)]
        cpu_ms = (cpu_seconds(server.pid) - begun) * 1000 / requests
    return Measured([ms for ms, _ in measured], cpu_ms, float(np.mean([size for _, size in measured])), [])


def cold(lake: Path, kind: Kind, contents: Contents, ids: list[str], times: int) -> list[float]:
    """Latencies of the first request after a restart with an empty page cache."""
    stream = kind.requests(contents, random.sample(ids, len(ids)))
    latencies = []
    for request in itertools.islice(stream, times):
        _drop_page_cache()
        with Server(lake) as server, httpx.Client(base_url=server.query_url, timeout=60) as client:
            latencies.append(_timed(client, request)[0])
    return latencies


def _some_trace_ids(server: Server) -> list[str]:
    with vigla.connect(server.query_url) as client:
        answer = client.sql("SELECT trace_id FROM traces ORDER BY hash(trace_id) LIMIT 500")
    return [trace for (trace,) in answer.rows()]


def measure(lake: Path, contents: Contents, requests: int, cold_times: int) -> dict[str, Measured]:
    """Every kind, warm on one server, then cold."""
    with Server(lake) as server:
        ids = _some_trace_ids(server)
        warmed = {k.name: warm(server, k, contents, ids, requests) for k in track(KINDS, "warm")}
    return {
        k.name: replace(warmed[k.name], cold_ms=cold(lake, k, contents, ids, cold_times))
        for k in track(KINDS, "cold")
    }


def summary(results: dict[str, Measured], contents: Contents, lake: Path) -> str:
    """Both tables as Markdown."""
    header = (
        "request",
        "warm p50 ms",
        "warm p95",
        "server CPU ms",
        "cold p50",
        "cold p95",
        "answer KiB",
        "goal ms",
        "",
        "Jaeger ms",
    )
    rows = []
    for kind in KINDS:
        one = results[kind.name]
        warm_p50, warm_p95 = np.percentile(one.warm_ms, [50, 95])
        cold_p50, cold_p95 = np.percentile(one.cold_ms, [50, 95]) if one.cold_ms else (np.nan, np.nan)
        goal = "" if kind.goal_ms is None else verdict(reached=bool(warm_p50 <= kind.goal_ms))
        numbers = (f"{ms:.1f}" for ms in (warm_p50, warm_p95, one.cpu_ms, cold_p50, cold_p95))
        size = f"{one.answer_bytes / 1024:.0f}"
        rows.append((kind.name, *numbers, size, f"{kind.goal_ms or ''}", goal, f"{kind.jaeger_ms or ''}"))
    sizes = parquet_bytes(lake)
    spans, total = sizes.get("spans", 0) / contents.spans, sum(sizes.values()) / contents.spans
    disk = [
        (
            "spans table",
            f"{spans:.1f}",
            f"{GOAL_BYTES_PER_SPAN:.0f}",
            verdict(reached=spans <= GOAL_BYTES_PER_SPAN),
            f"{JAEGER_BYTES_PER_SPAN}",
        ),
        ("all tables", f"{total:.1f}", "", "", ""),
    ]
    notes = (
        f"{contents.spans:,} spans over 10 days. The goal is held against the warm p50, measured at the "
        f"client with the answer read. Searches ask for {LIMIT} whole traces of one service in all ten days. "
        f"Cold: restarted, page cache {'dropped' if _drop_page_cache() else 'kept (not root)'}. Jaeger: its "
        "ClickHouse store on 4 cores, time inside the database, without API and answer."
    )
    on_disk = table(("bytes a span after merge", "value", "goal", "", "Jaeger"), disk)
    return f"{notes}\n\n{table(header, rows)}\n\n{on_disk}"


def main() -> None:
    """Run and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--path", type=Path, default=Path(tempfile.gettempdir()) / "vigla-ten-days")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--cold", type=int, default=5, help="restarts for each kind")
    arguments = parser.parse_args()
    directory = arguments.path.resolve()
    contents = ensure(directory, arguments.spans)
    results = measure(directory / "lake", contents, arguments.requests, arguments.cold)
    publish("query", "Query latency through the HTTP API", summary(results, contents, directory))


if __name__ == "__main__":
    main()
