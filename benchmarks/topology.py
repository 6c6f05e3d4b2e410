"""Graphs of a large mesh: latency of ``GET /api/namespaces/graph``, memory, and the page in a browser.

``python -m benchmarks.topology [services] [edges]``: a server in a child process takes an hour of
``istio_requests_total`` by remote write, as both sides of each call report it, every 30 s; the graph is of
the whole hour.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np

import vigla
from benchmarks import graph_page, report
from benchmarks.process import forget_peak, peak_bytes, resident_bytes
from benchmarks.serving import Server
from vigla.wire.remote_write import envelope
from vigla.wire.remote_write.descriptors import message_class

INTERVAL_MS, STEPS = 30_000, 120
SERIES_A_REQUEST = 500
ROUNDS = 9
NAMESPACES = 10
GOAL_S, GOAL_BYTES = 1.0, 300_000_000
GOAL_FRAME_S, GOAL_FRAMES = 2.0, 30.0
HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
SETTINGS = {
    "VIGLA_SCRAPE__OWN": "false",
    "VIGLA_RULES__MESH": "false",
    "VIGLA_STORAGE__MERGE_INTERVAL_S": "2",
}
GRAPHS = {
    "versionedApp, only traffic": {"graphType": "versionedApp", "appenders": ""},
    "service, only traffic": {"graphType": "service", "appenders": ""},
    "versionedApp, with health": {"graphType": "versionedApp", "appenders": "deadNode,idleNode,health"},
    "versionedApp, with mTLS": {"graphType": "versionedApp", "appenders": "health,securityPolicy"},
}


def pairs(services: int, edges: int) -> list[tuple[int, int]]:
    """Distinct calls between services, by their numbers."""
    dice, found = np.random.default_rng(1), dict[tuple[int, int], None]()
    while len(found) < edges:
        source, target = dice.integers(0, services, 2).tolist()
        if source != target:
            found[source, target] = None
    return list(found)


def labels(source: int, target: int, reporter: str) -> dict[str, str]:
    """Istio's labels of a call."""
    place = [f"team-{number % NAMESPACES}" for number in (source, target)]
    return {
        "__name__": "istio_requests_total",
        "reporter": reporter,
        "source_cluster": "west",
        "source_workload_namespace": place[0],
        "source_workload": f"service-{source}-v1",
        "source_canonical_service": f"service-{source}",
        "source_canonical_revision": "v1",
        "destination_cluster": "west",
        "destination_service_namespace": place[1],
        "destination_service": f"service-{target}.{place[1]}.svc.cluster.local",
        "destination_service_name": f"service-{target}",
        "destination_workload_namespace": place[1],
        "destination_workload": f"service-{target}-v1",
        "destination_canonical_service": f"service-{target}",
        "destination_canonical_revision": "v1",
        "request_protocol": "http",
        "response_code": "503" if target % 50 == 0 else "200",
        "response_flags": "-",
        "connection_security_policy": "mutual_tls",
        "source_principal": f"spiffe://cluster.local/ns/{place[0]}/sa/service-{source}",
        "destination_principal": f"spiffe://cluster.local/ns/{place[1]}/sa/service-{target}",
    }


def send(url: str, calls: list[tuple[int, int]], end_ms: int) -> int:
    """Write the hour and return how many samples it has."""
    series = [(*pair, reporter) for pair in calls for reporter in ("source", "destination")]
    with httpx.Client(headers=HEADERS, timeout=60) as client:
        for first in range(0, len(series), SERIES_A_REQUEST):
            request: Any = message_class("1")()
            for number, one in enumerate(series[first : first + SERIES_A_REQUEST]):
                _add(request.timeseries.add(), labels(*one), end_ms, 1 + number % 90)
            body = envelope.compress(request.SerializeToString())
            while (answer := client.post(f"{url}/api/v1/write", content=body)).status_code == 429:
                time.sleep(float(answer.headers["retry-after"]))
            answer.raise_for_status()
    return len(series) * STEPS


def _add(series: Any, names: dict[str, str], end_ms: int, growth: int) -> None:
    for name, value in sorted(names.items()):
        series.labels.add(name=name.encode(), value=value.encode())
    for step in range(STEPS):
        series.samples.add(
            timestamp=end_ms - (STEPS - 1 - step) * INTERVAL_MS, value=float(growth * (step + 1))
        )


def measure(url: str, end_ms: int) -> dict[str, list[float]]:
    """Seconds of each graph, the first round apart: it reads the labels of all series."""
    everywhere = ",".join(f"team-{number}" for number in range(NAMESPACES))
    asked = {"namespaces": everywhere, "duration": "1h", "queryTime": str(end_ms // 1000)}
    taken: dict[str, list[float]] = {}
    with httpx.Client(base_url=url, timeout=120) as client:
        for name, graph in GRAPHS.items():
            for _ in range(ROUNDS):
                began = time.perf_counter()
                client.get("/api/namespaces/graph", params={**asked, **graph}).raise_for_status()
                taken.setdefault(name, []).append(time.perf_counter() - began)
    return taken


def main() -> None:
    """Measure and print."""
    services, edges = (int(text) for text in (sys.argv[1:] + ["1000", "5000"][len(sys.argv) - 1 :])[:2])
    end_ms = time.time_ns() // 10**6
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "lake", SETTINGS) as server:
        total = send(server.otlp_url, pairs(services, edges), end_ms)
        with vigla.connect(server.query_url) as client:
            while client.sql("SELECT count(*) FROM samples").arrow().column(0)[0].as_py() < total:
                time.sleep(0.2)
        time.sleep(5)
        before = resident_bytes(server.pid)
        forget_peak(server.pid)
        taken = measure(server.query_url, end_ms)
        extra = peak_bytes(server.pid) - before
        drawn = graph_page.measure(f"{server.query_url}/graph?type=service&lookback=1h")
    rows = [
        [
            name,
            f"{seconds[0]:.2f} s",
            f"{median(seconds[1:]):.2f} s",
            f"{max(seconds[1:]):.2f} s",
            f"< {GOAL_S:.0f} s",
            report.verdict(reached=median(seconds[1:]) < GOAL_S),
        ]
        for name, seconds in taken.items()
    ]
    memory = ["memory", "", f"{extra / 1e6:.0f} MB", "", f"< {GOAL_BYTES / 1e6:.0f} MB"]
    rows.append([*memory, report.verdict(reached=extra < GOAL_BYTES)])
    rows += _page(drawn)
    header = ["graph", "first", "p50", "slowest", "goal", ""]
    title = f"Graphs of {services:,} services and {edges:,} calls"
    report.publish("topology", title, f"{total:,} samples.\n\n{report.table(header, rows)}")


def _page(drawn: graph_page.Drawn) -> list[list[str]]:
    first, frames = drawn.first_frame_s, min(drawn.pan, drawn.zoom)
    return [
        [
            "page: layout and first frame",
            f"{first:.2f} s",
            "",
            "",
            f"< {GOAL_FRAME_S:.0f} s",
            report.verdict(reached=first < GOAL_FRAME_S),
        ],
        [
            "page: frames a second, dragging and zooming",
            "",
            f"{drawn.pan:.0f} and {drawn.zoom:.0f}",
            "",
            f">= {GOAL_FRAMES:.0f}",
            report.verdict(reached=frames >= GOAL_FRAMES),
        ],
    ]


if __name__ == "__main__":
    main()
