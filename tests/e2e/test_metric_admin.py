"""Administration of metrics over HTTP: deletion, clean-up, snapshots, and what a server tells of itself."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.serving import Server
from tests.e2e.waiting import eventually
from tests.wire.remote_write_messages import packed, request_v1

HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
QUIET = {"VIGLA_SCRAPE__OWN": "false", "VIGLA_RULES__MESH": "false"}
ADMIN = "/api/v1/admin/tsdb"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "lake", {**QUIET, "VIGLA_QUERY__ADMIN_API": "true"}) as made:
        yield made


def counted(server: Server, at: int) -> dict[str, int]:
    """Samples by series of the last minute."""
    query = {"query": "count_over_time(kept[60s])", "time": str(at / 1000)}
    found = httpx.get(f"{server.query_url}/api/v1/query", params=query).json()["data"]["result"]
    return {each["metric"]["n"]: int(each["value"][1]) for each in found}


def written(server: Server, at: int) -> None:
    rows = [
        ({"__name__": "kept", "n": n}, [(at - 1000 * i - 1, float(i)) for i in reversed(range(50))])
        for n in ("a", "b", "c")
    ]
    answer = httpx.post(
        f"{server.query_url}/api/v1/write", content=packed(request_v1(*rows)), headers=HEADERS
    )
    assert answer.status_code == 204, answer.text
    assert eventually(lambda: counted(server, at) == {"a": 50, "b": 50, "c": 50})


def acted(server: Server, action: str, **params: Any) -> httpx.Response:
    return httpx.post(f"{server.query_url}{ADMIN}/{action}", params=params, timeout=30)


def test_deleted_samples_are_gone_for_good(server: Server) -> None:
    at = time.time_ns() // 10**6
    written(server, at)
    assert acted(server, "delete_series", **{"match[]": 'kept{n="a"}'}).status_code == 204
    assert counted(server, at) == {"b": 50, "c": 50}
    bounds = {"start": at / 1000 - 10, "end": at / 1000}
    assert acted(server, "delete_series", **{"match[]": 'kept{n="b"}'}, **bounds).status_code == 204
    assert counted(server, at) == {"b": 40, "c": 50}
    assert acted(server, "clean_tombstones").status_code == 204
    assert counted(server, at) == {"b": 40, "c": 50}
    server.stop()
    server.restart(server.ports)
    assert counted(server, at) == {"b": 40, "c": 50}


def test_a_snapshot_is_a_lake_of_its_own(server: Server) -> None:
    at = time.time_ns() // 10**6
    written(server, at)
    name = acted(server, "snapshot").json()["data"]["name"]
    assert acted(server, "delete_series", **{"match[]": "kept"}).status_code == 204
    assert acted(server, "clean_tombstones").status_code == 204
    assert counted(server, at) == {}
    with Server(server.directory / "snapshots" / name, QUIET) as other:
        assert counted(other, at) == {"a": 50, "b": 50, "c": 50}


@pytest.mark.parametrize(
    ("action", "params", "status", "said"),
    [
        ("delete_series", {}, 400, "no match[] parameter provided"),
        ("delete_series", {"match[]": "{"}, 400, "parse error"),
        ("snapshot", {"skip_head": "maybe"}, 400, "skip_head"),
        ("nothing", {}, 404, "not found"),
    ],
)
def test_bad_requests(server: Server, action: str, params: dict[str, str], status: int, said: str) -> None:
    answer = acted(server, action, **params)
    assert answer.status_code == status
    assert said in answer.text


def test_nothing_is_deleted_unless_allowed(tmp_path: Path) -> None:
    with Server(tmp_path / "lake", QUIET) as server:
        for action in ("delete_series", "clean_tombstones", "snapshot"):
            answer = acted(server, action, **{"match[]": "kept"})
            assert (answer.status_code, answer.json()["errorType"]) == (500, "unavailable")
        flags = httpx.get(f"{server.query_url}/api/v1/status/flags").json()["data"]
        assert flags["web.enable-admin-api"] == "false"
        assert httpx.post(f"{server.query_url}/-/quit").status_code == 403


def test_what_a_server_tells_of_itself(tmp_path: Path) -> None:
    client = {"basic_auth": {"username": "me", "password": "hidden"}, "proxy_url": "http://a:hidden@b"}
    job = {
        "job_name": "far",
        "static_configs": [{"targets": ["127.0.0.1:9"], "labels": {"key": "seen"}}],
        **client,
    }
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({"scrape_configs": [job]}))
    with Server(tmp_path / "lake", {**QUIET, "VIGLA_SCRAPE__CONFIG": str(config)}) as server:

        def told(path: str) -> Any:
            return httpx.get(f"{server.query_url}/api/v1/{path}").json()["data"]

        text = told("status/config")["yaml"]
        assert "job_name: far" in text
        assert "seen" in text
        assert "hidden" not in text
        features = told("features")
        assert features["promql_functions"]["rate"] is True
        assert features["api"]["admin"] is False
        assert set(told("status/walreplay")) == {"min", "max", "current"}
        assert httpx.get(f"{server.query_url}/version").json()["version"]
        assert told("notifications") == []
        config.write_text("scrape_configs: 5")
        (notification,) = eventually(lambda: told("notifications"))
        assert notification["active"]
        assert "scrape_configs" in notification["text"]
        with httpx.stream("GET", f"{server.query_url}/api/v1/notifications/live") as live:
            line = next(line for line in live.iter_lines() if line.startswith("data:"))
        assert json.loads(line.removeprefix("data:")) == notification
