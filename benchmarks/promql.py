"""PromQL over HTTP: Prometheus 2.42 and vigla on the same series, in one run.

``python -m benchmarks.promql [points]``: the data of Prometheus' own ``BenchmarkRangeQuery`` (1,443 series
every 10 s, 18,640 points, 26.9 million samples), its expressions, steps of 10 s that end at the last sample.
Both answer over HTTP; the median of the calls counts. Prometheus reads compacted blocks,
vigla merged files.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from rich.progress import track

import vigla
from benchmarks import report
from benchmarks.serving import Server
from vigla.listen import reserve
from vigla.wire.remote_write.rows import heads_array, request, series_head

STEP_MS = 10_000
POINTS = 18_640
CALLS = 5
SPARSE_EVERY = 20
SETTINGS = {
    "VIGLA_STORAGE__MERGE_INTERVAL_S": "5",
    "VIGLA_QUERY__TIMEOUT_S": "120",
    "VIGLA_SCRAPE__OWN": "false",
    "VIGLA_RULES__MESH": "false",
}
HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}

QUERIES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("a_X", (1, 1000)),
    ("rate(a_X[1m])", (1, 1000, 10000)),
    ("rate(sparse[1m])", (10000,)),
    ("rate(a_X[1d])", (1, 1000)),
    ("changes(a_X[1d])", (1, 1000)),
    ("absent_over_time(a_X[1d])", (1000,)),
    ("SMOOTHED", (1000,)),
    ("-a_X", (1, 1000)),
    ("a_X - b_X", (1, 1000, 10000)),
    ("a_X and b_X{l=~'.*[0-4]$'}", (1000,)),
    ("a_X or b_X{l=~'.*[0-4]$'}", (1000,)),
    ("a_X unless b_X{l=~'.*[0-4]$'}", (1000,)),
    ("a_X and b_X{l='notfound'}", (1000,)),
    ("abs(a_X)", (1000,)),
    ("label_replace(a_X, 'l2', '$1', 'l', '(.*)')", (1000,)),
    ("label_join(a_X, 'l2', '-', 'l', 'l')", (1000,)),
    ("sum(a_X)", (1, 1000)),
    ("avg(a_X)", (1000,)),
    ("topk(1, a_X)", (1000,)),
    ("topk(5, a_X)", (1000,)),
    ("quantile(0.9, a_X)", (1000,)),
    ("sum without (l)(h_X)", (1000,)),
    ("sum without (le)(h_X)", (1000,)),
    ("sum by (l)(h_X)", (1000,)),
    ("sum by (le)(h_X)", (1, 1000)),
    ("count_values('value', h_X)", (100,)),
    ("rate(a_X[1m]) + rate(b_X[1m])", (1000,)),
    ("sum(rate(a_X[1m]))", (1, 1000)),
    ("sum by (l)(rate(a_X[1m])) / sum by (l)(rate(b_X[1m]))", (1000,)),
    ("histogram_quantile(0.9, h_X)", (1000,)),
    ("histogram_quantile(0.9, rate(h_X[5m]))", (1, 1000)),
    ("count({__name__!=''})", (1,)),
)
SMOOTHED = {
    "prometheus": "holt_winters(a_X[1d], 0.3, 0.3)",
    "vigla": "double_exponential_smoothing(a_X[1d], 0.3, 0.3)",
}


@dataclass(frozen=True, slots=True)
class Data:
    """S series at P times; ``values[s] = point + s / S``; the last one has every twentieth point."""

    labels: list[Mapping[str, str]]
    times: "np.ndarray[tuple[int], np.dtype[np.int64]]"

    def values(self, point: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """At one time."""
        return point + np.arange(len(self.labels)) / len(self.labels)


def data(points: int) -> Data:
    """The series of the benchmark."""
    labels: list[Mapping[str, str]] = []
    bounds = [*map(str, range(10)), "+Inf"]
    for size, word in ((1, "one"), (10, "ten"), (100, "hundred")):
        own = [{}] if size == 1 else [{"l": str(number)} for number in range(size)]
        labels += [{"__name__": f"{name}_{word}", **each} for name in "ab" for each in own]
        labels += [{"__name__": f"h_{word}", "le": bound, **each} for each in own for bound in bounds]
    labels.append({"__name__": "sparse"})
    end = time.time_ns() // 10**9 // 10 * 10_000 - 60_000
    return Data(labels, end - STEP_MS * np.arange(points - 1, -1, -1))


def text(found: Data) -> Iterator[str]:
    """As OpenMetrics, one series after the other."""
    seconds = (found.times / 1000).tolist()
    for number, labels in enumerate(found.labels):
        inner = ",".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
        head = f"{labels['__name__']}{{{inner}}} "
        every = SPARSE_EVERY if labels["__name__"] == "sparse" else 1
        share = number / len(found.labels)
        yield "".join(
            f"{head}{point + share!r} {seconds[point]}\n" for point in range(0, len(seconds), every)
        )
    yield "# EOF\n"


def load(server: Server, found: Data) -> None:
    """By remote write, all series of one time in a request."""
    url = f"{server.query_url}/api/v1/write"
    heads = heads_array([series_head(each) for each in found.labels])
    with httpx.Client(headers=HEADERS, timeout=60) as client:
        for point, at in enumerate(track(found.times.tolist(), "vigla takes remote write")):
            count = len(heads) - (point % SPARSE_EVERY != 0)
            body = request(heads[:count], found.values(point)[:count], np.full(count, at))
            while (answer := client.post(url, content=body)).status_code == 429:
                time.sleep(float(answer.headers["retry-after"]))
            answer.raise_for_status()
    want = len(found.times) * (len(heads) - 1) + -(-len(found.times) // SPARSE_EVERY)
    with vigla.connect(server.query_url) as client:
        while client.sql("SELECT count(*) FROM samples").arrow().column(0)[0].as_py() < want:
            time.sleep(1)


def prometheus(folder: Path, found: Data) -> tuple[subprocess.Popen[bytes], str]:
    """Prometheus over blocks of the same series."""
    with (folder / "data.om").open("w") as file:
        file.writelines(track(text(found), "text for promtool", total=len(found.labels) + 1))
    command = [
        "promtool",
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        "--max-block-duration=72h",
        "-q",
        "data.om",
        "tsdb",
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "data.om").unlink()
    (folder / "prometheus.yml").write_text("global: {}\n")
    with reserve() as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [
        "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb",
        "--storage.tsdb.retention.time=100y", f"--web.listen-address={url[7:]}",
    ]  # fmt: skip
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    for _ in range(600):
        try:
            if httpx.get(f"{url}/-/ready").is_success:
                return process, url
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError((folder / "log").read_text())


def measured(url: str, query: str, steps: int, end_s: float) -> float:
    """Milliseconds of the median call; NaN: refused."""
    form = {"query": query, "start": str(end_s - (steps - 1) * 10), "end": str(end_s), "step": "10"}
    spent = []
    with httpx.Client(timeout=300) as client:
        for _ in range(CALLS):
            began = time.perf_counter()
            answer = client.post(f"{url}/api/v1/query_range", data=form)
            spent.append((time.perf_counter() - began) * 1000)
            if not answer.is_success:
                return float("nan")
            if sum(spent) > 20_000:
                break
    return statistics.median(spent)


def main() -> None:
    """Measure and print."""
    points = int(sys.argv[1]) if len(sys.argv) > 1 else POINTS
    if shutil.which("prometheus") is None:
        sys.exit("no prometheus: apt-get install prometheus")
    found = data(points)
    end = found.times[-1] / 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Server(folder / "lake", SETTINGS) as server:
            load(server, found)
            process, theirs = prometheus(folder, found)
            try:
                rows = _rows(theirs, server.query_url, end, points)
            finally:
                process.terminate()
                process.wait(30)
    head = ["expression", "series", "steps", "Prometheus 2.42, ms", "vigla, ms", "ratio"]
    report.publish("promql", "PromQL beside Prometheus 2.42", report.table(head, rows))


def _rows(theirs: str, ours: str, end: float, points: int) -> list[list[str]]:
    cases = [
        (query, word, count)
        for query, steps in QUERIES
        for word in (("one", "hundred") if "X" in query or query == "SMOOTHED" else ("",))
        for count in steps
        if count <= points and (word != "one" or count <= 1000)
    ]
    rows = []
    for query, word, count in track(cases, "queries"):
        asked = {
            who: (SMOOTHED[who] if query == "SMOOTHED" else query).replace("X", word) for who in SMOOTHED
        }
        them = measured(theirs, asked["prometheus"], count, end)
        us = measured(ours, asked["vigla"], count, end)
        rows.append([f"`{asked['vigla']}`", word, f"{count}", f"{them:.1f}", f"{us:.1f}", f"{us / them:.2f}"])
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    main()
