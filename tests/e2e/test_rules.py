"""Rules over a real server: recorded series, alerts that outlive ``kill -9``, receivers that are told."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.serving import Server
from tests.e2e.waiting import eventually
from tests.wire.remote_write_messages import packed, request_v1

RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - {record: 'job:level:max', expr: max by (job) (level)}
      - {record: 'job:level:double', expr: 'job:level:max * 2'}
      - {record: 'broken', expr: 'level * on(job) group_left level'}
      - alert: High
        expr: level > 5
        for: 1s
        labels: {severity: page}
        annotations: {summary: "{{ $labels.job }} is at {{ $value }}"}
"""


class Receiver:
    """An HTTP server that keeps what it is told; it refuses the first request."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, Any]] = []
        self.refused: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                first = self.path not in outer.refused
                outer.refused.add(self.path)
                if not first:
                    outer.bodies.append((self.path, body))
                self.send_response(503 if first else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def at(self, path: str) -> list[Any]:
        return [body for where, body in self.bodies if where == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def server(tmp_path: Path, receiver: Receiver) -> Iterator[Server]:
    (tmp_path / "rules.yml").write_text(RULES)
    environment = {
        "VIGLA_RULES__FILES": json.dumps([str(tmp_path / "*.yml")]),
        "VIGLA_RULES__ALERTMANAGERS": json.dumps([receiver.url]),
        "VIGLA_RULES__WEBHOOKS": json.dumps([receiver.url + "/hook"]),
        "VIGLA_RULES__RESEND_INTERVAL_S": "1",
        "VIGLA_RULES__WATCH_INTERVAL_S": "0.2",
        "VIGLA_RULES__EXTERNAL_URL": "http://vigla.example/",
    }
    with Server(tmp_path / "lake", environment) as running:
        yield running


def write(server: Server, **levels: float) -> None:
    now = time.time_ns() // 10**6
    message = request_v1(*(({"__name__": "level", "job": job}, [(now, v)]) for job, v in levels.items()))
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    answer = httpx.post(server.query_url + "/api/v1/write", content=packed(message), headers=headers)
    assert answer.status_code == 204


def data(server: Server, path: str, **params: str) -> Any:
    return httpx.get(server.query_url + "/api/v1" + path, params=params, timeout=30).json()["data"]


def value(server: Server, query: str) -> list[str]:
    return [each["value"][1] for each in data(server, "/query", query=query)["result"]]


def groups(server: Server, **params: str) -> dict[str, Any]:
    return {group["name"]: group for group in data(server, "/rules", **params)["groups"]}


def test_rules_record_fire_and_are_told(server: Server, receiver: Receiver) -> None:
    write(server, a=9, b=1)
    eventually(lambda: value(server, 'job:level:double{job="a"}') == ["18"])
    firing = eventually(lambda: [a for a in data(server, "/alerts")["alerts"] if a["state"] == "firing"])
    assert [(a["labels"], a["annotations"], a["value"]) for a in firing] == [
        (
            {"alertname": "High", "job": "a", "severity": "page"},
            {"summary": "a is at 9"},
            "9e+00",
        )
    ]
    eventually(lambda: value(server, 'ALERTS{alertstate="firing"}') == ["1"])
    record, _, broken, alert = groups(server)["g"]["rules"]
    assert (record["type"], record["health"], record["query"]) == ("recording", "ok", "max by (job) (level)")
    assert (broken["health"], alert["state"], alert["duration"]) == ("ok", "firing", 1)
    assert data(server, "/alertmanagers")["activeAlertmanagers"] == [{"url": receiver.url + "/api/v2/alerts"}]
    (told, *_) = eventually(lambda: receiver.at("/api/v2/alerts"))
    assert told[0]["labels"] == firing[0]["labels"]
    assert told[0]["generatorURL"] == "http://vigla.example/graph?g0.expr=level+%3E+5&g0.tab=1"
    (hooked, *_) = eventually(lambda: receiver.at("/hook"))
    assert (hooked["version"], hooked["status"], hooked["alerts"][0]["status"]) == ("4", "firing", "firing")
    write(server, a=2)
    eventually(lambda: [b for b in receiver.at("/hook") if b["status"] == "resolved"])
    assert len(receiver.at("/hook")) == 2  # once when it began, once when it ended
    eventually(lambda: value(server, "ALERTS") == [])


def test_alerts_outlive_a_kill(server: Server) -> None:
    write(server, a=9)
    eventually(lambda: value(server, 'ALERTS{alertstate="firing"}') == ["1"])
    (before,) = data(server, "/alerts")["alerts"]
    server.kill()
    server.start()
    eventually(lambda: data(server, "/alerts")["alerts"])
    (after,) = data(server, "/alerts")["alerts"]
    assert (after["state"], after["labels"]) == ("firing", before["labels"])
    assert after["activeAt"][:19] == before["activeAt"][:19]  # whole seconds are recorded


def test_a_changed_file_is_read_again(server: Server, tmp_path: Path) -> None:
    write(server, a=9)
    eventually(lambda: value(server, "job:level:max") == ["9"])
    (tmp_path / "rules.yml").write_text("groups: [{name: g, rules: [{}]}]")
    log = (server.log).read_text
    eventually(lambda: "rules are not reloaded" in log())
    assert len(groups(server)["g"]["rules"]) == 4
    (tmp_path / "rules.yml").write_text(
        "groups: [{name: h, interval: 1s, rules: [{record: other, expr: '7'}]}]"
    )
    eventually(lambda: value(server, "other") == ["7"])
    assert "g" not in groups(server)
    eventually(lambda: value(server, "job:level:max") == [])  # ended


def test_a_wrong_file_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text("groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]")
    environment = {"VIGLA_RULES__FILES": json.dumps([str(tmp_path / "*.yml")])}
    server = Server(tmp_path / "lake", environment)
    with pytest.raises(Exception, match="could not parse expression"):
        server.start()


def test_the_list_of_rules_is_filtered_and_paged(server: Server) -> None:
    assert set(groups(server)) == {"g", "mesh-services", "mesh-control-plane"}
    assert set(groups(server, **{"rule_group[]": "g"})) == {"g"}
    assert set(groups(server, **{"rule_name[]": "High"})) == {"g"}
    assert [
        r["name"] for r in groups(server, type="alert", **{"file[]": "mesh.yml"})["mesh-services"]["rules"]
    ] == ["MeshServiceErrors", "MeshServiceSlow"]
    assert set(groups(server, **{"match[]": '{severity="page"}'})) == {"g"}
    page = data(server, "/rules", group_limit="2")
    rest = data(server, "/rules", group_limit="2", group_next_token=page["groupNextToken"])
    assert (len(page["groups"]), len(rest["groups"]), "groupNextToken" in rest) == (2, 1, False)
    for wrong in ({"type": "x"}, {"group_next_token": "x"}, {"exclude_alerts": "maybe"}, {"match[]": "{"}):
        answer = httpx.get(server.query_url + "/api/v1/rules", params=wrong)
        assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")
