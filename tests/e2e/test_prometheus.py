"""Metrics end to end: a real Prometheus writes to vigla, and asks what it wrote."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.serving import Server
from tests.wire.remote_write_messages import packed, request_v1
from vigla.listen import reserve

SOON_S = 40.0
HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
- job_name: itself
  static_configs: [{{targets: ['127.0.0.1:{port}']}}]
remote_write:
- url: {url}/api/v1/write
  queue_config: {{batch_send_deadline: 1s}}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("metrics") / "lake") as made:
        yield made


def asked(server: Server, path: str, **parameters: Any) -> Any:
    answer = httpx.get(f"{server.query_url}{path}", params=parameters, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def eventually(check: Callable[[], Any]) -> Any:
    over = time.monotonic() + SOON_S
    while not (found := check()) and time.monotonic() < over:
        time.sleep(0.2)
    return found


@pytest.mark.parametrize("prefix", ["", "/prometheus"])
def test_what_is_written_is_found(server: Server, prefix: str) -> None:
    now = time.time_ns() // 10**6
    name = f"written{prefix.replace('/', '_')}_total"
    rows = [
        ({"__name__": name, "n": str(n)}, [(now - 60_000 + 1000 * i, float(i * (n + 1))) for i in range(60)])
        for n in range(2)
    ]
    for url in (server.query_url, server.otlp_url):
        answer = httpx.post(f"{url}/api/v1/write", content=packed(request_v1(*rows)), headers=HEADERS)
        assert answer.status_code == 204, answer.text
    api = f"{prefix}/api/v1"

    def found() -> Any:
        query = f"sum by (n) (rate({name}[30s]))"
        return asked(server, f"{api}/query", query=query, time=now / 1000)["result"]

    assert len(eventually(found)) == 2
    assert {each["metric"]["n"]: round(float(each["value"][1]), 6) for each in found()} == {"0": 1, "1": 2}
    ranged = asked(
        server, f"{api}/query_range", query=name, start=now / 1000 - 10, end=now / 1000 - 2, step=1
    )
    assert [len(each["values"]) for each in ranged["result"]] == [9, 9]
    assert asked(server, f"{api}/label/n/values", **{"match[]": name}) == ["0", "1"]
    assert asked(server, f"{api}/series", **{"match[]": f'{name}{{n="1"}}'}) == [{"__name__": name, "n": "1"}]


def test_a_prometheus_writes_and_both_answer_alike(server: Server, tmp_path: Path) -> None:
    if not shutil.which("prometheus"):
        pytest.skip("no prometheus: apt-get install prometheus")
    with reserve() as free:
        port = free.getsockname()[1]
    (tmp_path / "prometheus.yml").write_text(CONFIG.format(port=port, url=server.query_url))
    command = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"], cwd=tmp_path, stdout=log, stderr=log
        ) as process,
    ):
        try:
            query = 'prometheus_tsdb_head_samples_appended_total{job="itself"}'
            count = f"count_over_time({query}[1m])"

            def enough() -> bool:
                result = asked(server, "/api/v1/query", query=count)["result"]
                return bool(result) and float(result[0]["value"][1]) > 5

            assert eventually(enough), (tmp_path / "log").read_text()[-2000:]
            at = time.time() - 3
            ours = asked(server, "/api/v1/query", query=query, time=at)
            theirs = httpx.get(
                f"http://127.0.0.1:{port}/api/v1/query", params={"query": query, "time": at}
            ).json()["data"]
            assert ours == theirs
            names = asked(server, "/api/v1/label/__name__/values")
            assert {"up", "scrape_duration_seconds"} <= set(names)
        finally:
            process.terminate()
