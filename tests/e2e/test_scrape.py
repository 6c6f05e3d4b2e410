"""Scraping by a real server: honest targets, dishonest ones, and Prometheus 2.42 beside it."""

import gzip
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.serving import Server
from tests.e2e.waiting import eventually
from vigla.listen import reserve

TEXT = "text/plain; version=0.0.4"
OPEN = "application/openmetrics-text; version=1.0.0"


@dataclass
class Page:
    """What a target answers at a path."""

    body: bytes
    media: str = TEXT
    status: int = 200
    hangs: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)


class Pages:
    """An HTTP server of pages by path; what is not there is 404."""

    def __init__(self) -> None:
        self.by_path: dict[str, Page] = {}
        pages = self.by_path

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                page = pages.get(self.path.partition("?")[0], Page(b"none", status=404))
                page.asked.append({**{k.lower(): v for k, v in self.headers.items()}, "path": self.path})
                if page.hangs:
                    time.sleep(5)
                self.send_response(page.status)
                body = page.body
                if "gzip" in self.headers.get("Accept-Encoding", ""):
                    body = gzip.compress(body, 1)
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Type", page.media)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def pages() -> Iterator[Pages]:
    made = Pages()
    yield made
    made.close()


def job(name: str, pages: Pages, path: str, **more: Any) -> dict[str, Any]:
    static = [{"targets": [pages.address]}]
    return {"job_name": name, "metrics_path": path, "static_configs": static, **more}


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server that scrapes these jobs each second."""
    running: list[Server] = []

    def start(*jobs: dict[str, Any], **settings: str) -> Server:
        configure(tmp_path, *jobs)
        environment = {"VIGLA_SCRAPE__CONFIG": str(tmp_path / "prometheus.yml"), **settings}
        server = Server(tmp_path / "lake", environment)
        running.append(server)
        server.start()
        return server

    yield start
    for server in running:
        server.stop()


def configure(folder: Path, *jobs: dict[str, Any]) -> None:
    """JSON is YAML."""
    content = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": list(jobs)}
    (folder / "prometheus.yml").write_text(json.dumps(content))


def data(server: Server, path: str, **params: str) -> Any:
    return httpx.get(f"{server.query_url}/api/v1/{path}", params=params, timeout=30).json()["data"]


def values(server: Server, query: str) -> list[str]:
    return [each["value"][1] for each in data(server, "query", query=query)["result"]]


def target(server: Server, name: str) -> Any:
    """The target of a job, once it was scraped."""

    def scraped() -> Any:
        found = data(server, "targets", scrapePool=name)["activeTargets"]
        return next((each for each in found if each["health"] != "unknown"), None)

    return eventually(scraped)


def test_a_page_becomes_series(pages: Pages, started: Callable[..., Server]) -> None:
    body = '# TYPE jobs counter\n# HELP jobs Done.\njobs_total{job="x"} 5 # {trace_id="abc"} 1\n# EOF\n'
    page = pages.by_path["/m"] = Page(body.encode(), OPEN)
    server = started(job("web", pages, "/m", params={"a": ["b"]}))
    eventually(lambda: values(server, "jobs_total") == ["5"])
    (found,) = data(server, "series", **{"match[]": "jobs_total"})
    assert found == {"__name__": "jobs_total", "job": "web", "instance": pages.address, "exported_job": "x"}
    assert values(server, 'up{job="web"}') == ["1"]
    assert values(server, 'scrape_samples_scraped{job="web"}') == ["1"]
    shown = target(server, "web")
    assert (shown["health"], shown["lastError"], shown["scrapeInterval"]) == ("up", "", "1s")
    assert shown["scrapeUrl"] == f"http://{pages.address}/m?a=b"
    assert page.asked[0]["path"] == "/m?a=b"
    assert page.asked[0]["x-prometheus-scrape-timeout-seconds"] == "1"
    eventually(lambda: data(server, "metadata", metric="jobs"))
    assert data(server, "metadata", metric="jobs") == {
        "jobs": [{"type": "counter", "help": "Done.", "unit": ""}]
    }
    assert data(server, "targets/metadata", metric="jobs")[0]["help"] == "Done."
    (exemplar,) = eventually(lambda: data(server, "query_exemplars", query="jobs_total"))
    assert [each["labels"] for each in exemplar["exemplars"]] == [{"trace_id": "abc"}]
    assert set(data(server, "scrape_pools")["scrapePools"]) == {"vigla", "web"}
    eventually(lambda: values(server, 'vigla_ingester_samples_total{job="vigla"}'))  # its own


BOTH = '{__name__=~"a|b"}'


def test_what_goes_is_stale_at_once(pages: Pages, started: Callable[..., Server], tmp_path: Path) -> None:
    page = pages.by_path["/m"] = Page(b"a 1\nb 2\n")
    server = started(job("web", pages, "/m"))
    eventually(lambda: values(server, BOTH) == ["1", "2"])
    page.body = b"b 3\n"
    eventually(lambda: values(server, BOTH) == ["3"])
    page.status = 500
    eventually(lambda: values(server, BOTH) == [])
    assert values(server, 'up{job="web"}') == ["0"]
    assert "500" in target(server, "web")["lastError"]
    page.status = 200
    eventually(lambda: values(server, "b") == ["3"])
    configure(tmp_path)
    eventually(lambda: values(server, 'b or up{job="web"}') == [])


DISHONEST = {
    "hangs": (Page(b"a 1\n", hangs=True), "context deadline exceeded"),
    "html": (Page(b"<html></html>", "text/html"), 'received unsupported Content-Type "text/html"'),
    "lies": (Page(b"a 1\n", OPEN), "data does not end with # EOF"),
    "broken": (Page(b"a 1\nb\n"), "no sample: 'b'"),
    "large": (Page(b"a 1\n" * 25_000_000), "body size limit exceeded"),
    "bomb": (Page(b"".join(b'a{b="%d"} 1\n' % n for n in range(3000))), "sample limit exceeded: 3000"),
    "away": (Page(b"", status=404), "server returned HTTP status 404"),
}


def test_a_dishonest_target_harms_no_other(pages: Pages, started: Callable[..., Server]) -> None:
    pages.by_path["/fine"] = Page(b"a 1\n")
    pages.by_path |= {f"/{name}": page for name, (page, _) in DISHONEST.items()}
    server = started(
        *(job(name, pages, f"/{name}") for name in ["fine", *DISHONEST]),
        VIGLA_SCRAPE__MAX_SAMPLES="2000",
        VIGLA_SCRAPE__MAX_PAGE_BYTES="1000000",
    )
    eventually(lambda: values(server, 'a{job="fine"}') == ["1"])
    for name, (_, told) in DISHONEST.items():
        eventually(lambda name=name, told=told: told in target(server, name)["lastError"])
    eventually(lambda: values(server, 'sum(up{job!~"vigla|fine"})') == ["0"])
    eventually(lambda: values(server, 'count(up{job!~"vigla|fine"})') == [str(len(DISHONEST))])
    assert values(server, 'a{job!="fine"}') == []


def test_targets_from_files_and_http(pages: Pages, started: Callable[..., Server], tmp_path: Path) -> None:
    pages.by_path["/metrics"] = Page(b"a 1\n")
    groups = [{"targets": [pages.address], "labels": {"from": "http"}}]
    pages.by_path["/sd"] = Page(json.dumps(groups).encode(), "application/json")
    (tmp_path / "sd-1.json").write_text(
        json.dumps([{"targets": [pages.address], "labels": {"from": "file"}}])
    )
    http = {
        "job_name": "h",
        "http_sd_configs": [{"url": f"http://{pages.address}/sd", "refresh_interval": "1s"}],
    }
    files = {
        "job_name": "f",
        "file_sd_configs": [{"files": ["sd-*.json"]}],
        "relabel_configs": [{"source_labels": ["__meta_filepath"], "target_label": "path"}],
    }
    server = started(http, files)
    eventually(lambda: sorted(data(server, "label/from/values")) == ["file", "http"])
    assert data(server, "label/path/values") == [str(tmp_path / "sd-1.json")]
    (tmp_path / "sd-1.json").write_text("{")
    (tmp_path / "sd-2.yml").write_text("")
    time.sleep(1.5)
    assert values(server, 'up{from="file"}') == ["1"]  # a wrong file leaves what there was
    pages.by_path["/sd"].body = b"[]"
    (tmp_path / "sd-1.json").unlink()
    eventually(lambda: values(server, 'up{from=~".+"}') == [])


def test_a_kill_loses_no_scrape_that_was_shown(pages: Pages, started: Callable[..., Server]) -> None:
    pages.by_path["/m"] = Page(b"a 1\n")
    server = started(job("web", pages, "/m"))
    eventually(lambda: values(server, "count_over_time(a[1m])") >= ["2"])
    (before,) = values(server, "count_over_time(a[1m])")
    server.kill()
    server.start()
    assert int(values(server, "count_over_time(a[1m])")[0]) >= int(before)


RELABEL = [
    {"source_labels": ["__address__"], "regex": "([^:]+):(.*)", "target_label": "host", "replacement": "$1"},
    {"action": "labelmap", "regex": "__param_(.+)"},
    {"source_labels": ["a", "host"], "separator": "/", "target_label": "both"},
    {"action": "hashmod", "source_labels": ["host"], "modulus": 7, "target_label": "shard"},
    {"action": "uppercase", "source_labels": ["zone"], "target_label": "zone"},
]
METRIC_RELABEL = [
    {"source_labels": ["__name__"], "regex": "secret_.*", "action": "drop"},
    {"source_labels": ["code"], "regex": "(.)..", "target_label": "class", "replacement": "${1}xx"},
    {"action": "labeldrop", "regex": "tmp_.*"},
    {
        "source_labels": ["__name__", "path"],
        "regex": "renamed;/(.*)",
        "target_label": "__name__",
        "replacement": "to_$1",
    },
]
MIXED = b"""# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="+Inf"} 2
h_sum 3
h_count 2
secret_a 1
requests_total{code="404",job="own",tmp_x="1"} 3
requests_total{code="200",instance="own",job="own"} 4
renamed{path="/x"} 5
quoted{a="\\"b\\\\\\n"} 6
timed 7 1000
empties{instance="",job="",host=""} 8
"""


@pytest.mark.skipif(not shutil.which("prometheus"), reason="no prometheus: apt-get install prometheus")
@pytest.mark.parametrize("honor", [False, True])
def test_prometheus_makes_the_same_series(
    pages: Pages, started: Callable[..., Server], tmp_path: Path, *, honor: bool
) -> None:
    pages.by_path["/m"] = Page(MIXED)
    more = {
        "honor_labels": honor,
        "params": {"a": ["b", "c"]},
        "relabel_configs": RELABEL,
        "metric_relabel_configs": METRIC_RELABEL,
    }
    server = started(
        {
            **job("web", pages, "/m", **more),
            "static_configs": [{"targets": [pages.address], "labels": {"zone": "eu"}}],
        },
        VIGLA_SCRAPE__OWN="false",
        VIGLA_RULES__MESH="false",
    )
    with reserve() as free:
        port = free.getsockname()[1]
    command = ["prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
               f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    log = (tmp_path / "prometheus.log").open("wb")
    process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
    try:
        theirs = f"http://127.0.0.1:{port}/api/v1/"

        def series(base: str) -> set[str]:
            try:
                found = httpx.get(base + "series", params={"match[]": '{__name__!=""}'}, timeout=30).json()[
                    "data"
                ]
            except httpx.TransportError:
                return set()
            return {json.dumps(each, sort_keys=True) for each in found}

        expected = eventually(lambda: len(found := series(theirs)) > 12 and found)
        mine = f"{server.query_url}/api/v1/"
        eventually(lambda: len(series(mine)) >= len(expected))
        assert series(mine) == expected
    finally:
        process.terminate()
        process.wait(30)
        log.close()
