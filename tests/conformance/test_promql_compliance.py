"""Our engine and Debian's Prometheus 2.42 over the same series: every query of the compliance tester."""

import json
import math
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from query.promql.engine import Engine
from query.promql.memory import MemorySeries
from query.promql.results import Series
from query.promql.series import Labels
from tests.conformance.conftest import CASES
from tests.conformance.promqltest import demo
from vigla.errors import ViglaError
from vigla.listen import reserve
from vigla.storage.api import Stop

FILE = CASES / "promql" / "compliance-expanded-539.json"
QUERIES: list[tuple[str, bool]] = json.loads(FILE.read_text()) if FILE.exists() else []
BEGIN = 1_700_000_000 // 7200 * 7200
START, END, STEP = BEGIN + 7200, BEGIN + 7800, 10
TOLERANCE = 1e-5
READY_S = 60.0

UTF8 = "Prometheus 3 takes any UTF-8 text for a label's name; 2.42 refuses ~invalid"
DIFFERENT = {
    'label_replace(demo_num_cpus, "~invalid", "", "src", "(.*)")': UTF8,
    'label_join(demo_num_cpus, "~invalid", "-", "instance")': UTF8,
}
"""Queries that 2.42 refuses and 3.x answers, and why."""

OPEN_ON_THE_LEFT = {
    "avg_over_time(rate(demo_cpu_usage_seconds_total[1m])[2m:10s])": (
        "avg_over_time(rate(demo_cpu_usage_seconds_total[1m])[121s:10s])"
    ),
}
"""In 2.42 the step just at a subquery's left bound counts, in 3.x it does not: how 3.x says the same."""

pytestmark = [
    pytest.mark.skipif(not QUERIES, reason=f"no conformance cases: {FILE} is absent"),
    pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool: apt-get install prometheus"),
]
Answer = dict[Labels, dict[int, float]] | None
"""Samples by labels and time (milliseconds); None: refused."""


@dataclass(frozen=True, slots=True)
class Both:
    """The same series in our engine and in a running Prometheus."""

    source: MemorySeries
    prometheus: httpx.Client

    def ours(self, query: str) -> Answer:
        try:
            found = Engine().range(self.source, query, START * 1000, END * 1000, STEP * 1000, Stop())
        except ViglaError:
            return None
        assert isinstance(found.value, Series)
        matrix, times = found.value.matrix, found.value.times.tolist()
        return {
            labels: {
                times[i]: float(matrix.values[row, i]) for i in np.flatnonzero(matrix.present[row]).tolist()
            }
            for row, labels in enumerate(matrix.labels)
        }

    def theirs(self, query: str) -> Answer:
        query = query.replace("double_exponential_smoothing", "holt_winters")
        form = {"query": query, "start": START, "end": END, "step": STEP}
        answer = self.prometheus.post("/api/v1/query_range", data=form)
        if answer.status_code != 200:
            return None
        return {
            tuple(sorted(found["metric"].items())): {round(t * 1000): float(v) for t, v in found["values"]}
            for found in answer.json()["data"]["result"]
        }


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("prometheus")
    with (folder / "demo.om").open("w") as file:
        file.writelines(demo.text(BEGIN))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", "demo.om", "data"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "prometheus.yml").write_text("global: {}\n")
    with reserve() as free:
        port = free.getsockname()[1]
    with Prometheus(folder, port) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield Both(demo.in_memory(BEGIN), client)


class Prometheus:
    """A Prometheus over the blocks of a folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"

    def __enter__(self) -> str:
        command = [
            "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
            "--storage.tsdb.retention.time=100y", f"--web.listen-address={self.url[7:]}",
        ]  # fmt: skip
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        over = time.monotonic() + READY_S
        while time.monotonic() < over:
            try:
                if httpx.get(f"{self.url}/-/ready").is_success:
                    return self.url
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise TimeoutError((self.folder / "log").read_text())

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


def near(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or a == b or math.isclose(a, b, rel_tol=TOLERANCE)


@pytest.mark.parametrize(("query", "fails"), QUERIES, ids=[query for query, _ in QUERIES])
def test_answers_agree(both: Both, query: str, *, fails: bool) -> None:
    ours, theirs = both.ours(OPEN_ON_THE_LEFT.get(query, query)), both.theirs(query)
    if query in DIFFERENT:
        assert theirs is None, DIFFERENT[query]
        assert ours is not None, DIFFERENT[query]
        return
    if fails or ours is None or theirs is None:
        assert ours is None
        assert theirs is None
        return
    assert ours.keys() == theirs.keys()
    for labels, samples in theirs.items():
        own = ours[labels]
        assert own.keys() == samples.keys(), labels
        wrong = {t: (own[t], value) for t, value in samples.items() if not near(own[t], value)}
        assert not wrong, labels
