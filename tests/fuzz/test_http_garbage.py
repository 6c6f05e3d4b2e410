"""Generated requests and raw bytes on every port."""

import contextlib
import socket
import urllib.parse

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.serving import Server

ENDPOINTS = (
    "/api/services",
    "/api/services/{}/operations",
    "/api/operations",
    "/api/traces",
    "/api/traces/{}",
    "/api/dependencies",
    "/api/metrics/latencies",
    "/api/metrics/calls",
    "/api/metrics/errors",
    "/api/metrics/minstep",
    "/api/v3/services",
    "/api/v3/operations",
    "/api/v3/traces",
    "/api/v3/traces/{}",
    "/api/v3/trace-summaries",
    "/api/v3/dependencies",
    "/",
    "/search",
    "/trace/{}",
    "/dependencies",
    "/{}",
)
PARAMETERS = (
    *(
        "service",
        "operation",
        "start",
        "end",
        "minDuration",
        "maxDuration",
        "limit",
        "tag",
        "tags",
        "traceID",
        "raw",
    ),
    *("endTs", "lookback", "step", "ratePer", "quantile", "groupByOperation", "spanKind", "prettyPrint"),
    *(
        "query.serviceName",
        "query.operationName",
        "query.startTimeMin",
        "query.startTimeMax",
        "query.attributes",
    ),
    *("query.durationMin", "query.durationMax", "query.searchDepth", "query.rawTraces", "query.filter"),
    *("query.service_name", "query.start_time_min", "startTime", "endTime", "rawTraces"),
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.sampled_from(
        [
            "",
            "1",
            "-1",
            "0",
            "1ms",
            "-5s",
            "9e99h",
            "{}",
            '{"a":1}',
            '{"a":"b"}',
            "a:b",
            "NaN",
            "true",
            "'",
            "%00",
        ]
    ),
    st.sampled_from(
        ["2026-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "0000-00-00T00:00:00Z", "server"]
    ),
)
DOCUMENTED_5XX = {501, 503}
PORTS = ("otlp_grpc", "otlp_http", "query", "telemetry")


def _acceptable(answer: httpx.Response) -> bool:
    return answer.status_code < 500 or answer.status_code in DOCUMENTED_5XX


@given(
    endpoint=st.sampled_from(ENDPOINTS),
    name=st.text(max_size=40),
    parameters=st.lists(st.tuples(st.sampled_from(PARAMETERS), VALUES), max_size=6),
)
def test_query_parameters(
    api: httpx.Client, endpoint: str, name: str, parameters: list[tuple[str, str]]
) -> None:
    path = endpoint.format(urllib.parse.quote(name, safe="", errors="replace"))
    answer = api.get(path, params=tuple(parameters))
    assert _acceptable(answer), (answer.status_code, answer.text, path, parameters)


TIMES = {"query.startTimeMin": "2020-01-01T00:00:00Z", "query.startTimeMax": "2099-01-01T00:00:00Z"}


@given(parameter=st.sampled_from(PARAMETERS), value=VALUES)
@pytest.mark.parametrize(
    "path", ["/api/traces", "/api/v3/traces", "/api/v3/trace-summaries", "/api/metrics/calls"]
)
def test_one_bad_parameter_in_a_valid_search(
    api: httpx.Client, path: str, parameter: str, value: str
) -> None:
    valid = {"service": "x", "query.serviceName": "x", **TIMES}
    answer = api.get(path, params={**valid, parameter: value})
    assert _acceptable(answer), (answer.status_code, answer.text, path, parameter, value)


@given(text=st.text(max_size=60) | st.sampled_from(["SELECT 1", "SELECT * FROM spans", "DROP TABLE spans"]))
def test_sql_text(api: httpx.Client, text: str) -> None:
    for body in ({"query": text}, {"sql": text}, text):
        answer = api.post("/api/vigla/v1/sql", json=body)
        assert _acceptable(answer), (answer.status_code, answer.text, text)


@given(
    method=st.sampled_from(["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW"]),
    endpoint=st.sampled_from((*ENDPOINTS, "/api/archive/{}", "/api/transform", "/api/vigla/v1/sql")),
    body=st.binary(max_size=200),
    content_type=st.sampled_from(["application/json", "application/x-protobuf", "", "multipart/form-data"]),
)
def test_methods_and_bodies(
    api: httpx.Client, method: str, endpoint: str, body: bytes, content_type: str
) -> None:
    answer = api.request(method, endpoint.format("1"), content=body, headers={"content-type": content_type})
    assert _acceptable(answer), (answer.status_code, answer.text, method, endpoint, body)


HEADER_BYTES = st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))


@pytest.mark.parametrize("port", PORTS)
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda path, header: b"GET /" + path + b" HTTP/1.1\r\n" + header + b"\r\n\r\n",
            HEADER_BYTES,
            HEADER_BYTES,
        ),
        HEADER_BYTES.map(
            lambda h: b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: " + h + b"\r\n\r\nabc"
        ),
        st.binary(max_size=100).map(
            lambda chunk: b"POST /v1/traces HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk
        ),
        st.binary(max_size=200).map(lambda frames: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames),
    )
)
def test_raw_bytes(server: Server, port: str, content: bytes) -> None:
    number = {name: getattr(server.ports, name) for name in PORTS}[port]
    address = ("127.0.0.1", number)
    with socket.create_connection(address, timeout=10) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(4096)
        assert not answer.startswith(b"HTTP/1.1 500"), (answer, content)
    assert server.alive()
