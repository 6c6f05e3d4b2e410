"""Federation: Prometheus, and another vigla, scrape ``/federate``."""

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.serving import Server
from tests.wire.remote_write_messages import packed, request_v1
from vigla.listen import reserve
from vigla.prometheus.staleness import STALE

WITHIN_S = 30.0
QUERY = '{__name__=~"federated_.+"}'


def write(server: Server) -> None:
    now = time.time_ns() // 10**6
    message = request_v1(
        ({"__name__": "federated_total", "job": "a", "path": 'x"\\\ny'}, [(now - 1000, 1.0), (now, 2.5)]),
        ({"__name__": "federated_total", "job": "b", "instance": "i"}, [(now, float("inf"))]),
        ({"__name__": "federated_gone"}, [(now - 1000, 1.0), (now, STALE)]),
        ({"__name__": "federated_old"}, [(now - 400_000, 1.0)]),
        ({"__name__": "other"}, [(now, 1.0)]),
    )
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    answer = httpx.post(server.query_url + "/api/v1/write", content=packed(message), headers=headers)
    assert answer.status_code == 204, answer.text


def scraping(address: str) -> str:
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {
                "job_name": "federate",
                "honor_labels": True,
                "metrics_path": "/federate",
                "params": {"match[]": [QUERY]},
                "static_configs": [{"targets": [address]}],
            }
        ],
    }
    return json.dumps(config)


def values(url: str) -> dict[str, str]:
    try:
        answer = httpx.get(url + "/api/v1/query", params={"query": QUERY}, timeout=30)
    except httpx.TransportError:
        return {}
    if not answer.is_success:
        return {}
    result: list[Any] = answer.json()["data"]["result"]
    return {json.dumps(each["metric"], sort_keys=True): each["value"][1] for each in result}


def eventually_equal(url: str, expected: dict[str, str]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while values(url) != expected and time.monotonic() < deadline:
        time.sleep(0.2)
    assert values(url) == expected


@pytest.fixture
def source(server: Server) -> Server:
    write(server)
    deadline = time.monotonic() + WITHIN_S
    while len(values(server.query_url)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(values(server.query_url)) == 2
    return server


def test_prometheus_scrapes_us(source: Server, tmp_path: Path) -> None:
    if not shutil.which("prometheus"):
        pytest.skip("no prometheus: apt-get install prometheus")
    (tmp_path / "prometheus.yml").write_text(scraping(source.query_url.removeprefix("http://")))
    with reserve() as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = ["prometheus", "--config.file=prometheus.yml", f"--web.listen-address={address}"]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log) as process,
    ):
        try:
            eventually_equal(f"http://{address}", values(source.query_url))
        finally:
            process.terminate()


def test_another_of_us_scrapes_us(source: Server, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(scraping(source.query_url.removeprefix("http://")))
    environment = {"VIGLA_SCRAPE__CONFIG": str(tmp_path / "prometheus.yml")}
    with Server(tmp_path / "lake", environment) as other:
        eventually_equal(other.query_url, values(source.query_url))


def test_its_text(source: Server) -> None:
    asked = {"match[]": ['federated_total{job="a"}', "nothing"]}
    answer = httpx.get(source.query_url + "/federate", params=asked)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    kind, line = answer.text.splitlines()
    assert kind == "# TYPE federated_total untyped"
    assert line.startswith('federated_total{job="a",path="x\\"\\\\\\ny",instance=""} 2.5 17')
    accept = {"Accept": "application/openmetrics-text"}
    text = httpx.get(source.query_url + "/prometheus/federate", params=asked, headers=accept).text
    assert text.endswith("# EOF\n")
    wrong = httpx.get(source.query_url + "/federate", params={"match[]": "{"})
    assert wrong.status_code == 400
