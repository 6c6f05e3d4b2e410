"""Bytes of a scraped sample on disk: vigla after compaction, and Prometheus 2.42 beside it.

``python -m benchmarks.scrape [minutes] [interval, s]``: the demo's mesh under traffic, node_exporter and the
Prometheus itself are scraped by both at the same interval; Prometheus writes its head as a block in the end.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq

from benchmarks import report
from benchmarks.serving import VIGLA
from vigla.clock import SystemClock
from vigla.listen import reserve
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import StorageSettings
from vigla.storage.inventory import DataFile
from vigla.storage.lake import Lake
from vigla.storage.maintenance import Maintenance
from vigla.telemetry.metrics import Metrics

HOST = "127.0.0.1"
READY_S = 90
SETTLED_S = 15
PAGES_A_SECOND = 5
GOAL = 1.3


def _free_port() -> int:
    with reserve() as held:
        port: int = held.getsockname()[1]
        return port


def _configuration(interval_s: int, jobs: dict[str, Sequence[str]], envoy: Sequence[str] = ()) -> str:
    """JSON is YAML."""
    scrapes: list[dict[str, object]] = [
        {"job_name": name, "static_configs": [{"targets": list(at)}]} for name, at in jobs.items()
    ]
    if envoy:
        static = [{"targets": list(envoy)}]
        scrapes.append({"job_name": "envoy", "metrics_path": "/stats/prometheus", "static_configs": static})
    return json.dumps({"global": {"scrape_interval": f"{interval_s}s"}, "scrape_configs": scrapes})


def _started(stack: ExitStack, command: Sequence[str], log: Path, **options: Any) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **options)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


def _wait(url: str) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise TimeoutError(url)


def _proxies(url: str) -> list[str]:
    """Addresses of the mesh's proxies, from the demo's own targets."""
    active = httpx.get(f"{url}/api/v1/targets", timeout=10).json()["data"]["activeTargets"]
    return [each["labels"]["instance"] for each in active if each["labels"]["job"] == "envoy"]


def _settled(url: str) -> list[str]:
    """Addresses of all proxies, when no more have come for a while."""
    found: list[str] = []
    since = time.monotonic()
    while not found or time.monotonic() - since < SETTLED_S:
        time.sleep(1)
        if (now := _proxies(url)) != found:
            found, since = now, time.monotonic()
    return found


def _block(directory: Path) -> tuple[int, int, int]:
    """Samples, bytes of chunks and bytes of the index of the snapshot."""
    (block,) = [path for path in directory.glob("snapshots/*/*") if (path / "meta.json").exists()]
    samples = json.loads((block / "meta.json").read_text())["stats"]["numSamples"]
    chunks = sum(file.stat().st_size for file in (block / "chunks").iterdir())
    return samples, chunks, (block / "index").stat().st_size


def _compacted(directory: Path) -> tuple[list[DataFile], list[DataFile]]:
    """Files of samples and of series after every merge that is due."""
    settings = StorageSettings(path=directory, snapshot_grace_s=1e-6)
    lake = Lake(settings, DEFAULT_PROMOTED, Metrics(), SystemClock())
    for _ in range(4):
        Maintenance(lake, settings, SystemClock(), Metrics()).run_once()
    files = list(lake.commits.files("samples")), list(lake.commits.files("series"))
    lake.close()
    return files


def _columns(files: Sequence[DataFile]) -> dict[str, int]:
    """Compressed bytes of each column."""
    sizes: dict[str, int] = {}
    for file in files:
        footer = pq.read_metadata(file.path)
        for group in range(footer.num_row_groups):
            for number in range(footer.num_columns):
                column = footer.row_group(group).column(number)
                sizes[column.path_in_schema] = (
                    sizes.get(column.path_in_schema, 0) + column.total_compressed_size
                )
    return sizes


def _scrape(stack: ExitStack, folder: Path, minutes: float, interval_s: int) -> None:
    prometheus, node = _free_port(), _free_port()
    own = {"node": [f"{HOST}:{node}"], "prometheus": [f"{HOST}:{prometheus}"]}
    (folder / "vigla.yml").write_text(_configuration(interval_s, own))
    exporter = ["/usr/bin/prometheus-node-exporter", f"--web.listen-address={HOST}:{node}"]
    _started(stack, exporter, folder / "node.log")
    environment = {
        "VIGLA_SCRAPE__CONFIG": str(folder / "vigla.yml"),
        "VIGLA_SCRAPE__INTERVAL_S": str(interval_s),
        "VIGLA_SCRAPE__OWN": "false",
        "VIGLA_RULES__MESH": "false",
        "PATH": "/usr/bin:/bin",
    }
    demo = [*VIGLA, "demo", f"--storage-path={folder / 'demo'}", f"--rate={PAGES_A_SECOND}"]
    process = _started(stack, demo, folder / "demo.log", env=environment, cwd=Path.cwd())
    url = f"http://{HOST}:16686"
    _wait(f"{url}/-/ready")
    proxies = _settled(url)
    (folder / "prometheus.yml").write_text(_configuration(interval_s, own, envoy=proxies))
    command = [
        "/usr/bin/prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={HOST}:{prometheus}",
        "--web.enable-admin-api",
    ]
    _started(stack, command, folder / "prometheus.log")
    _wait(f"http://{HOST}:{prometheus}/-/ready")
    time.sleep(minutes * 60)
    answer = httpx.post(f"http://{HOST}:{prometheus}/api/v1/admin/tsdb/snapshot", timeout=60)
    answer.raise_for_status()
    process.terminate()
    process.wait()


def main() -> None:
    """Measure and print."""
    arguments = [*sys.argv[1:], "60", "15"][: max(2, len(sys.argv) - 1)]
    minutes, interval_s = float(arguments[0]), int(arguments[1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ExitStack() as stack:
            _scrape(stack, folder, minutes, interval_s)
        samples, chunks, index = _block(folder / "prometheus")
        files, series = _compacted(folder / "demo" / "data")
        rows, size = sum(file.rows for file in files), sum(file.size for file in files)
        head = sum(file.size for file in series)
        columns = _columns(files)
    table = report.table(
        ["", "Prometheus 2.42", "vigla"],
        [
            ["samples", f"{samples:,}", f"{rows:,}"],
            ["bytes a sample", f"{chunks / samples:.2f}", f"{size / rows:.2f}"],
            ["with labels", f"{(chunks + index) / samples:.2f}", f"{(size + head) / rows:.2f}"],
        ],
    )
    parts = report.table(["column", "bytes a sample"], [[k, f"{v / rows:.3f}"] for k, v in columns.items()])
    goal = f"At most {GOAL} bytes a sample: {report.verdict(reached=size / rows <= GOAL)}."
    said = f"{minutes:.0f} minutes, every {interval_s} s: node_exporter, Prometheus and the demo's Envoys."
    report.publish("scrape", "Bytes of a scraped sample", f"{said}\n\n{table}\n\n{parts}\n\n{goal}")


if __name__ == "__main__":
    main()
