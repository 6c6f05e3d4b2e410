"""Remote write: samples a second accepted, durable and visible; memory; bytes of a sample after compaction.

``python -m benchmarks.remote_write [SERIESxSTEPS] ..``: a server in a child process takes requests of 2,000
samples from two senders, which share its cores. Of ten series six are counters that grow at an uneven rate,
one is constant, one a gauge in bytes, one has two decimals, one is a float of full precision; ``scrape``
measures bytes with real targets.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

import vigla
from benchmarks import report
from benchmarks.process import MemoryTrack, cpu_seconds, resident_bytes
from benchmarks.serving import Server
from vigla.clock import SystemClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import StorageSettings
from vigla.storage.lake import Lake
from vigla.storage.maintenance import Maintenance
from vigla.telemetry.metrics import Metrics
from vigla.wire.remote_write import envelope
from vigla.wire.remote_write.descriptors import message_class

INTERVAL_MS = 15_000
A_REQUEST = 2_000
SENDERS = 4
CASES = ("4000x500", "20000x100", "1000x1500", "200000x10")
GOAL = 200_000
HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
SETTINGS = {
    "VIGLA_QUERY__SQL_MAX_ROWS": "1000000",
    "VIGLA_SCRAPE__OWN": "false",
    "VIGLA_RULES__MESH": "false",
}
NAMES = 40


def values(series: int, steps: int) -> npt.NDArray[np.float64]:
    """Shape (series, steps): of ten series six counters, a constant, a gauge in bytes, two floats."""
    dice = np.random.default_rng(1)
    rates = dice.exponential(20, (series, 1))
    made = np.cumsum(dice.poisson(rates, (series, steps)), axis=1).astype(np.float64)
    kind = np.arange(series) % 10
    made[kind == 6] = dice.integers(0, 100, (int((kind == 6).sum()), 1))
    pages = np.cumsum(dice.integers(-50, 51, (int((kind == 7).sum()), steps)), axis=1)
    made[kind == 7] = (1_000_000 + pages) * 4096
    made[kind == 8] = np.round(dice.normal(50, 5, (int((kind == 8).sum()), steps)), 2)
    made[kind == 9] = dice.normal(0.5, 0.1, (int((kind == 9).sum()), steps))
    return made


def bodies(series: int, steps: int) -> list[list[bytes]]:
    """For each sender its requests: all series at one time after the other."""
    table, began = values(series, steps), time.time_ns() // 10**6 - steps * INTERVAL_MS
    shares: list[list[bytes]] = [[] for _ in range(SENDERS)]
    groups = [range(first, min(first + A_REQUEST, series)) for first in range(0, series, A_REQUEST)]
    for number, group in enumerate(groups):
        request: Any = message_class("1")()
        for n in group:
            added = request.timeseries.add()
            for name, value in _labels(n):
                added.labels.add(name=name.encode(), value=value.encode())
            added.samples.add()
        for step in range(steps):
            for n, sent in zip(group, request.timeseries, strict=True):
                sent.samples[0].timestamp = began + step * INTERVAL_MS
                sent.samples[0].value = table[n, step]
            shares[number % SENDERS].append(envelope.compress(request.SerializeToString()))
    return shares


def _labels(n: int) -> list[tuple[str, str]]:
    return [
        ("__name__", f"node_metric_{n % NAMES}_total"),
        ("cluster", "production-west"),
        ("device", f"disk{n // NAMES % 8}"),
        ("instance", f"10.0.{n // 4000}.{n // 400 % 10}:9100"),
        ("job", "node-exporter"),
        ("mode", ("user", "system", "idle", "iowait")[n // NAMES % 4]),
        ("namespace", "monitoring"),
        ("pod", f"node-exporter-{n}"),
    ]


def _send(url: str, requests: list[bytes]) -> None:
    with httpx.Client(headers=HEADERS, timeout=60) as client:
        for body in requests:
            while (answer := client.post(f"{url}/api/v1/write", content=body)).status_code == 429:
                time.sleep(float(answer.headers["retry-after"]))
            answer.raise_for_status()


def _live(directory: Path) -> int:
    """Bytes of the samples' files after every merge that is due, with replaced files removed."""
    settings = StorageSettings(path=directory, snapshot_grace_s=1e-6)
    lake = Lake(settings, DEFAULT_PROMOTED, Metrics(), SystemClock())
    for _ in range(3):
        Maintenance(lake, settings, SystemClock(), Metrics()).run_once()
    size = sum(file.size for file in lake.commits.files("samples"))
    lake.close()
    return size


class _Watch(threading.Thread):
    """Samples a process's memory until the benchmark is over."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.track = MemoryTrack()
        self._pid = pid
        self._over = threading.Event()

    def run(self) -> None:
        """Ten times a second."""
        while not self._over.wait(0.1):
            self.track.add(time.monotonic(), resident_bytes(self._pid))

    def stop(self) -> float:
        """MiB, at most."""
        self._over.set()
        self.join()
        return self.track.peak_mib


def measured(series: int, steps: int) -> list[str]:
    """One column of the table."""
    shares, total = bodies(series, steps), series * steps
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "lake", SETTINGS) as server:
        watch, own = _Watch(server.pid), time.process_time()
        watch.start()
        used, began = cpu_seconds(server.pid), time.monotonic()
        threads = [threading.Thread(target=_send, args=(server.otlp_url, share)) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        accepted = time.monotonic() - began
        own = time.process_time() - own
        with vigla.connect(server.query_url) as client:
            while client.sql("SELECT count(*) FROM samples").arrow().column(0)[0].as_py() < total:
                time.sleep(0.1)
        visible = time.monotonic() - began
        used = cpu_seconds(server.pid) - used
        time.sleep(10)
        peak = watch.stop()
        server.stop()
        merged = _live(server.directory)
    sent = sum(len(body) for share in shares for body in share)
    return [
        f"{sent / total:.1f}",
        f"{total / accepted:,.0f}",
        f"{total / visible:,.0f}",
        f"{used / total * 1e6:.2f} s",
        f"{own / (own + used):.0%}",
        f"{peak:,.0f} MiB",
        f"{merged / total:.2f}",
    ]


ROWS = (
    "bytes a sample as sent",
    "samples/s accepted and durable",
    f"samples/s visible (goal {GOAL:,})",
    "CPU of the server, a million samples",
    "the senders' share of all CPU used",
    "memory of the server, at most",
    "bytes a sample on disk, merged",
)


def main() -> None:
    """Measure and print."""
    cases = [tuple(map(int, text.split("x"))) for text in sys.argv[1:] or CASES]
    columns = [measured(series, steps) for series, steps in cases]
    header = ["remote write 1.0", *(f"{series:,} series, {steps:,} steps" for series, steps in cases)]
    rows = [[name, *(column[n] for column in columns)] for n, name in enumerate(ROWS)]
    report.publish("remote_write", "Remote write", report.table(header, rows))


if __name__ == "__main__":
    main()
