"""A running server for real clients, and the check that what they sent comes back whole."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from benchmarks.serving import Server

VISIBLE_WITHIN_S = 20.0
MS = 1_000_000
LINKED_TRACE = "0af7651916cd43dd8448eb211c80319c"
LINKED_SPAN = "b7ad6b7169203331"


@dataclass(frozen=True, slots=True)
class Sent:
    """The trace that each client sends: ``checkout`` (server, failed) with one child ``charge`` (client)."""

    service: str
    base_ns: int
    trace_id: str
    root_id: str
    child_id: str


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("e2e") / "lake") as running:
        yield running


@pytest.fixture(scope="session")
def api(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.query_url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def get_found(api: httpx.Client) -> Callable[[str], httpx.Response]:
    """GET that is repeated while the answer is 404: what was acknowledged is visible a moment later."""

    def get(path: str) -> httpx.Response:
        deadline = time.monotonic() + VISIBLE_WITHIN_S
        while (answer := api.get(path)).status_code == httpx.codes.NOT_FOUND and time.monotonic() < deadline:
            time.sleep(0.05)
        return answer

    return get


@pytest.fixture(scope="session")
def assert_read_back(get_found: Callable[[str], httpx.Response]) -> Callable[..., None]:
    """Checks all fields of a sent trace (arguments as in ``Sent``) through both of Jaeger's HTTP APIs."""

    def check(service: str, base_ns: int, **ids: str) -> None:
        sent = Sent(service, base_ns, ids["trace_id"], ids["root_id"], ids["child_id"])
        v1 = get_found(f"/api/traces/{sent.trace_id}")
        assert v1.status_code == httpx.codes.OK, v1.text
        _check_v1(v1.json(), sent)
        v3 = get_found(f"/api/v3/traces/{sent.trace_id}")
        assert v3.status_code == httpx.codes.OK, v3.text
        _check_v3(v3.json(), sent)

    return check


def _check_v1(answer: dict[str, Any], sent: Sent) -> None:
    (trace,) = answer["data"]
    assert trace["traceID"] == sent.trace_id
    spans = {span["operationName"]: span for span in trace["spans"]}
    assert set(spans) == {"checkout", "charge"}
    root, child = spans["checkout"], spans["charge"]
    process = trace["processes"][root["processID"]]
    assert process["serviceName"] == sent.service
    assert {("service.version", "string", "1.2"), ("host.cpus", "int64", 4)} <= _tags(process["tags"])
    assert (root["spanID"], child["spanID"]) == (sent.root_id, sent.child_id)
    assert (root["startTime"], root["duration"]) == (sent.base_ns // 1000, 500_000)
    assert (child["startTime"], child["duration"]) == (sent.base_ns // 1000 + 100_000, 200_000)
    assert _tags(root["tags"]) == {
        ("otel.scope.name", "string", "e2e.scope"),
        ("otel.scope.version", "string", "0.3"),
        ("http.route", "string", "/cart/{id}"),
        ("http.response.status_code", "int64", 500),
        ("retry", "bool", True),
        ("ratio", "float64", 0.25),
        ("ids", "string", "[1,2]"),
        ("greeting", "string", "grüß dich \U0001f600"),
        ("span.kind", "string", "server"),
        ("otel.status_code", "string", "ERROR"),
        ("error", "bool", True),
        ("otel.status_description", "string", "boom"),
    }
    (log,) = root["logs"]
    assert log["timestamp"] == sent.base_ns // 1000 + 200_000
    assert _tags(log["fields"]) == {
        ("event", "string", "exception"),
        ("exception.message", "string", "no stock"),
        ("attempt", "int64", 2),
    }
    assert root["references"] == []
    assert child["references"] == [
        {"refType": "CHILD_OF", "traceID": sent.trace_id, "spanID": sent.root_id},
        {"refType": "FOLLOWS_FROM", "traceID": LINKED_TRACE, "spanID": LINKED_SPAN},
    ]
    assert ("span.kind", "string", "client") in _tags(child["tags"])


def _tags(tags: list[dict[str, Any]]) -> set[tuple[str, str, Any]]:
    return {(tag["key"], tag["type"], tag["value"]) for tag in tags}


def _check_v3(answer: dict[str, Any], sent: Sent) -> None:
    (resource_spans,) = answer["result"]["resourceSpans"]
    resource = _values(resource_spans["resource"]["attributes"])
    assert resource["service.name"] == {"stringValue": sent.service}
    assert resource["host.cpus"] == {"intValue": "4"}
    (scope_spans,) = resource_spans["scopeSpans"]
    assert scope_spans["scope"]["name"] == "e2e.scope"
    assert scope_spans["scope"]["version"] == "0.3"
    spans = {span["name"]: span for span in scope_spans["spans"]}
    root, child = spans["checkout"], spans["charge"]
    assert (root["traceId"], root["spanId"], root["kind"]) == (sent.trace_id, sent.root_id, 2)
    assert (child["spanId"], child["parentSpanId"], child["kind"]) == (sent.child_id, sent.root_id, 3)
    assert root["startTimeUnixNano"] == str(sent.base_ns)
    assert root["endTimeUnixNano"] == str(sent.base_ns + 500 * MS)
    assert root["status"] == {"code": 2, "message": "boom"}
    assert _values(root["attributes"]) == {
        "http.route": {"stringValue": "/cart/{id}"},
        "http.response.status_code": {"intValue": "500"},
        "retry": {"boolValue": True},
        "ratio": {"doubleValue": 0.25},
        "ids": {"arrayValue": {"values": [{"intValue": "1"}, {"intValue": "2"}]}},
        "greeting": {"stringValue": "grüß dich \U0001f600"},
    }
    (event,) = root["events"]
    assert (event["name"], event["timeUnixNano"]) == ("exception", str(sent.base_ns + 200 * MS))
    assert _values(event["attributes"])["attempt"] == {"intValue": "2"}
    (link,) = child["links"]
    assert (link["traceId"], link["spanId"]) == (LINKED_TRACE, LINKED_SPAN)
    assert _values(link["attributes"]) == {"link.reason": {"stringValue": "retry"}}


def _values(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {attribute["key"]: attribute["value"] for attribute in attributes}


@pytest.fixture
def base_ns() -> int:
    """A start time just before now, whole milliseconds."""
    return (time.time_ns() // MS - 2_000) * MS
