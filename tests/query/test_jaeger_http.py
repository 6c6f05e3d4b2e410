"""The Jaeger APIs as their clients meet them: statuses, error texts, units, traps."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

NOW_S = int(time.time())
TRACE = "0af7651916cd43dd8448eb211c80319c"


def _request() -> bytes:
    """A trace of two services: a root, a failed client call, its server span, and an orphan."""
    request = ExportTraceServiceRequest()
    for service in ("front", "back"):
        group = request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = service
        group.scope_spans.add()
    start = NOW_S * 10**9 - 60 * 10**9

    def span(group: int, span_id: int, parent: int, name: str, kind: int, **more: Any) -> Any:
        return (
            request.resource_spans[group]
            .scope_spans[0]
            .spans.add(
                trace_id=bytes.fromhex(TRACE),
                span_id=span_id.to_bytes(8, "big"),
                parent_span_id=parent.to_bytes(8, "big") if parent else b"",
                name=name,
                kind=kind,  # type: ignore[arg-type]
                start_time_unix_nano=start + span_id * 10**6,
                end_time_unix_nano=start + span_id * 10**6 + 5 * 10**6,
                **more,
            )
        )

    root = span(0, 1, 0, "GET /", 2)
    root.attributes.add(key="http.response.status_code").value.int_value = 500
    call = span(0, 2, 1, "call", 3)
    call.status.code = 2
    span(1, 3, 2, "serve", 2)
    span(1, 4, 9, "lost", 1)
    return request.SerializeToString()


@pytest.fixture
def api(trace_server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=trace_server) as client:
        client.post("/v1/traces", content=_request()).raise_for_status()
        yield client


def failed(answer: httpx.Response, status: int) -> Any:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text.endswith("}\n")
    return answer.json()


def test_services_and_operations(api: httpx.Client):
    assert api.get("/api/services").json() == {
        "data": ["back", "front"], "total": 2, "limit": 0, "offset": 0, "errors": None,
    }  # fmt: skip
    assert api.get("/api/services/front/operations").json()["data"] == ["GET /", "call"]
    assert api.get("/api/operations", params={"service": "front", "spanKind": "client"}).json()["data"] == [
        {"name": "call", "spanKind": "client"}
    ]
    assert failed(api.get("/api/operations"), 400)["errors"] == [
        {"code": 400, "msg": "parameter 'service' is required"}
    ]
    assert api.get("/api/v3/operations", params={"service": "front", "span_kind": "server"}).json() == {
        "operations": [{"name": "GET /", "spanKind": "server"}]
    }


def test_names_with_slashes_and_percent_signs(api: httpx.Client):
    assert api.get("/api/services/a%2Fb/operations").json()["data"] == []
    assert api.get("/api/services/100%25/operations").json()["data"] == []


def test_trace_by_id_in_every_spelling(api: httpx.Client):
    for spelling in (TRACE, TRACE.upper()):
        [trace] = api.get(f"/api/traces/{spelling}").json()["data"]
        assert trace["traceID"] == TRACE
        assert len(trace["spans"]) == 4
    root = trace["spans"][0]
    assert {"key": "http.response.status_code", "type": "int64", "value": 500} in root["tags"]
    assert root["duration"] == 5000
    assert root["startTime"] == (NOW_S - 60) * 1_000_000 + 1000


def test_a_miss_is_404_and_a_wrong_id_400(api: httpx.Client):
    assert failed(api.get("/api/traces/ff"), 404)["errors"] == [{"code": 404, "msg": "trace not found"}]
    assert failed(api.get("/api/traces/nonsense!"), 400)["errors"][0]["code"] == 400
    assert failed(api.get("/api/v3/traces/ff"), 404) == {
        "error": {"httpCode": 404, "message": "trace not found"}
    }


def test_several_ids_at_once(api: httpx.Client):
    answer = api.get("/api/traces", params={"traceID": [TRACE, "ff"]})
    assert answer.status_code == 200
    assert [trace["traceID"] for trace in answer.json()["data"]] == [TRACE]
    assert answer.json()["errors"] == [{"msg": "trace not found", "traceID": "00000000000000ff"}]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"operation": "GET /"}, True),
        ({"operation": "other"}, False),
        ({"tag": "http.response.status_code:500"}, True),
        ({"tags": '{"http.response.status_code":"500"}'}, True),
        ({"tags": '{"error":"true"}'}, True),
        ({"tags": '{"error":"true","span.kind":"client"}'}, True),
        ({"tags": '{"error":"true","span.kind":"server"}'}, False),
        ({"minDuration": "5ms", "maxDuration": "5ms"}, True),
        ({"minDuration": "6ms"}, False),
        ({"start": str((NOW_S - 30) * 1_000_000)}, False),
        ({"start": str((NOW_S - 90) * 1_000_000), "end": str(NOW_S * 1_000_000)}, True),
        ({"lookback": "1h", "limit": "20"}, True),
    ],
)
def test_search(api: httpx.Client, params: dict[str, str], found: bool):  # noqa: FBT001 (a case's outcome)
    answer = api.get("/api/traces", params={"service": "front", **params})
    assert answer.status_code == 200
    assert bool(answer.json()["data"]) == found


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "parameter 'service' is required"),
        ({"service": "a", "start": "x"}, "unable to parse param 'start': strconv.ParseInt"),
        ({"service": "a", "minDuration": "5"}, "unable to parse param 'minDuration': time: missing unit"),
        ({"service": "a", "minDuration": "5s", "maxDuration": "1s"}, "'maxDuration' should be greater than"),
        (
            {"service": "a", "tag": "novalue"},
            "malformed 'tag' parameter, expecting key:value, received: novalue",
        ),
        ({"service": "a", "tags": "{"}, "malformed 'tags' parameter, cannot unmarshal JSON"),
        ({"service": "a", "tags": '{"a":1}'}, "malformed 'tags' parameter, cannot unmarshal JSON"),
        ({"service": "a", "limit": "many"}, "unable to parse param 'limit'"),
        ({"service": "a", "raw": "maybe"}, "unable to parse param 'raw'"),
    ],
)
def test_wrong_parameters(api: httpx.Client, params: dict[str, str], message: str):
    assert failed(api.get("/api/traces", params=params), 400)["errors"][0]["msg"].startswith(message)


def test_grafana_may_send_milliseconds_with_an_id(api: httpx.Client):
    hints = {"start": str((NOW_S - 90) * 1000), "end": str(NOW_S * 1000)}
    assert api.get(f"/api/traces/{TRACE}", params=hints).status_code == 200


def test_archive(api: httpx.Client):
    assert api.post(f"/api/archive/{TRACE}").json()["data"] == []
    assert api.post(f"/api/archive/{TRACE}").status_code == 200
    assert failed(api.post("/api/archive/ff"), 404)["errors"][0]["msg"] == "trace not found"
    counted = api.post("/api/vigla/v1/sql", json={"query": "SELECT count(*) FROM archived_spans"}).json()
    assert counted["rows"] == [[4]]


def test_dependencies(api: httpx.Client):
    expected = [
        {"parent": "front", "child": "back", "callCount": 1},
        {"parent": "front", "child": "front", "callCount": 1},
    ]
    assert api.get("/api/dependencies", params={"endTs": NOW_S * 1000}).json()["data"] == expected
    assert api.get("/api/v3/dependencies").json() == {"dependencies": expected}
    long_ago = {"start_time": "2020-01-01T00:00:00Z", "end_time": "2020-01-02T00:00:00Z"}
    assert api.get("/api/v3/dependencies", params=long_ago).json() == {"dependencies": []}
    assert api.get("/api/dependencies", params={"endTs": 1000}).json()["data"] == []
    assert failed(api.get("/api/dependencies", params={"endTs": "x"}), 400)


def test_summaries(api: httpx.Client):
    bounds = {"query.startTimeMin": "2020-01-01T00:00:00Z", "query.startTimeMax": "2200-01-01T00:00:00Z"}
    [summary] = api.get("/api/v3/trace-summaries", params=bounds).json()["summaries"]
    assert summary == {
        "traceId": TRACE,
        "rootServiceName": "front",
        "rootOperationName": "GET /",
        "minStartTimeUnixNano": str((NOW_S - 60) * 10**9 + 10**6),
        "maxEndTimeUnixNano": str((NOW_S - 60) * 10**9 + 9 * 10**6),
        "spanCount": 4,
        "errorSpanCount": 1,
        "orphanSpanCount": 1,
        "services": [
            {"name": "back", "spanCount": 2},
            {"name": "front", "spanCount": 2, "errorSpanCount": 1},
        ],
    }
    body = {"query": {"startTimeMin": "2020-01-01T00:00:00Z", "start_time_max": "2200-01-01T00:00:00Z"}}
    assert api.post("/api/v3/trace-summaries", json=body).json()["summaries"] == [summary]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "query.startTimeMin and query.startTimeMax are required"),
        ({"query.startTimeMin": "x"}, "malformed parameter query.startTimeMin: "),
        (
            {"query.start_time_min": "2020-01-02T00:00:00Z", "query.start_time_max": "2020-01-01T00:00:00Z"},
            "query.startTimeMin must be before",
        ),
        ({"query.filter": "{}"}, "query.filter is not supported"),
    ],
)
def test_wrong_v3_parameters(api: httpx.Client, params: dict[str, str], message: str):
    error = failed(api.get("/api/v3/traces", params=params), 400)["error"]
    assert error["httpCode"] == 400
    assert error["message"].startswith(message)


def test_v3_search_without_a_match_is_404(api: httpx.Client):
    bounds = {"query.startTimeMin": "2020-01-01T00:00:00Z", "query.startTimeMax": "2020-01-02T00:00:00Z"}
    answer = failed(api.get("/api/v3/traces", params=bounds), 404)
    assert answer["error"]["message"] == "No traces found"
    assert api.get("/api/v3/trace-summaries", params=bounds).json() == {"summaries": []}


def test_service_performance(api: httpx.Client):
    params = {
        "service": "front",
        "endTs": NOW_S * 1000,
        "lookback": 120_000,
        "step": 60_000,
        "ratePer": 600_000,
    }
    calls = api.get("/api/metrics/calls", params=params).json()
    assert calls["name"] == "service_call_rate"
    [metric] = calls["metrics"]
    assert metric["labels"] == [{"name": "service_name", "value": "front"}]
    assert metric["metricPoints"][-1]["gaugeValue"] == {"doubleValue": pytest.approx(1 / 600)}
    grouped = api.get(
        "/api/metrics/errors", params={**params, "groupByOperation": "true", "spanKind": "client"}
    )
    [metric] = grouped.json()["metrics"]
    assert grouped.json()["name"] == "service_operation_error_rate"
    assert {label["value"] for label in metric["labels"]} == {"front", "call"}
    assert metric["metricPoints"][-1]["gaugeValue"] == {"doubleValue": 1.0}
    latencies = api.get("/api/metrics/latencies", params={**params, "quantile": "0.95"}).json()
    value = latencies["metrics"][0]["metricPoints"][-1]["gaugeValue"]["doubleValue"]
    assert value == pytest.approx(5.0, rel=0.02)
    assert api.get("/api/metrics/minstep").json()["data"] == 1


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"service": "a", "spanKind": "x"},
        {"service": "a", "step": "0"},
        {"service": "a", "step": "1", "lookback": "999999999"},
        {"service": "a", "groupByOperation": "x"},
        {"service": "a", "quantile": "2"},
    ],
)
def test_wrong_service_performance_parameters(api: httpx.Client, params: dict[str, str]):
    assert failed(api.get("/api/metrics/latencies", params={"quantile": "0.5", **params}), 400)


def test_graph_and_attributes(api: httpx.Client):
    graph = api.get("/api/vigla/v1/graph", params={"time": NOW_S, "duration": f"{NOW_S}s"}).json()
    assert sorted((n["name"], n["kind"]) for n in graph["nodes"]) == [
        ("back", "service"),
        ("front", "service"),
    ]
    (edge,) = graph["edges"]
    assert (edge["protocol"], edge["p95_ms"], edge["health"]["status"]) == ("span", 5.0, "Healthy")
    assert edge["rate"] == pytest.approx(1 / NOW_S)
    keys = api.get("/api/vigla/v1/attributes", params={"service": "front"}).json()["keys"]
    assert set(keys) == {"service.name", "http.response.status_code"}
    values = api.get("/api/vigla/v1/attributes", params={"key": "http.response.status_code"}).json()
    assert values == {"values": ["500"]}


def test_unknown_paths_pretty_print_and_prefix(api: httpx.Client):
    answer = api.get("/api/nothing")
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")
    assert "\n  " in api.get("/api/services", params={"prettyPrint": "true"}).text
    assert api.get("/jaeger/api/services").json() == api.get("/api/services").json()
    assert api.get("/api/services").headers["traceresponse"].startswith("00-")
