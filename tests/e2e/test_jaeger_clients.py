"""Grafana's and Kiali's HTTP requests to Jaeger, replayed, and their answers read as these clients read them.

Sources: grafana ``pkg/tsdb/jaeger/client.go``, kiali ``tracing/jaeger/http_client.go``.
"""

import json
import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from benchmarks.serving import Server

MS = 1_000_000
TRACE_ID = "0000000000000000b2c3d4e5f6071829"
SHORT_TRACE_ID = "b2c3d4e5f6071829"
CLUSTER_TAG = "istio.cluster_id"

Unsigned = Annotated[int, Field(ge=0, lt=2**64)]


class Decoded(BaseModel):
    """A Go struct that ``encoding/json`` fills: exact types, unknown members ignored."""

    model_config = ConfigDict(strict=True)


class Tag(Decoded):
    key: str
    type: Literal["string", "bool", "int64", "float64", "binary"]
    value: Any


class Reference(Decoded):
    refType: Literal["CHILD_OF", "FOLLOWS_FROM"]  # noqa: N815  the wire's name
    traceID: str  # noqa: N815
    spanID: str  # noqa: N815


class Log(Decoded):
    timestamp: Unsigned
    fields: list[Tag]


class TraceSpan(Decoded):
    traceID: str  # noqa: N815
    spanID: str  # noqa: N815
    operationName: str  # noqa: N815
    references: list[Reference]
    startTime: Unsigned  # noqa: N815
    duration: Unsigned
    tags: list[Tag]
    logs: list[Log]
    processID: str  # noqa: N815
    warnings: list[str] | None


class Process(Decoded):
    serviceName: str  # noqa: N815
    tags: list[Tag]


class Trace(Decoded):
    traceID: str  # noqa: N815
    spans: list[TraceSpan]
    processes: dict[str, Process]
    warnings: list[str] | None


class Problem(Decoded):
    code: int = 0
    msg: str
    traceID: str = ""  # noqa: N815


class Envelope(Decoded):
    data: Any
    errors: list[Problem] | None
    limit: int
    offset: int
    total: int


TRACES = TypeAdapter(list[Trace])


def _decode(answer: httpx.Response) -> Envelope:
    assert answer.status_code == httpx.codes.OK, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    return Envelope.model_validate(answer.json())


def _span(name: str, number: int, parent: int, start_ns: int, **fields: Any) -> Span:
    return Span(
        trace_id=bytes.fromhex(TRACE_ID),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + 30 * MS,
        **fields,
    )


def _attribute(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _of(service: str, *spans: Span) -> ResourceSpans:
    resource_spans = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    resource_spans.resource.attributes.append(_attribute("service.name", service))
    return resource_spans


@pytest.fixture(scope="module")
def stored_us(server: Server, get_found: Callable[[str], httpx.Response]) -> int:
    """Start, in Unix microseconds, of a stored trace: ``shop frontend`` calls ``cart`` through a sidecar."""
    start_ns = (time.time_ns() // MS - 30_000) * MS
    cluster = [_attribute(CLUSTER_TAG, "Kubernetes"), _attribute("http.method", "GET")]
    front = _span("GET /cart", 0xA1, 0, start_ns, kind=Span.SPAN_KIND_SERVER, attributes=cluster)
    failed = Status(code=Status.STATUS_CODE_ERROR, message="no stock")
    cart = _span("Cart/Get", 0xA2, 0xA1, start_ns + MS, kind=Span.SPAN_KIND_SERVER, status=failed)
    request = ExportTraceServiceRequest(resource_spans=[_of("shop frontend", front), _of("cart", cart)])
    answer = httpx.post(
        f"{server.otlp_url}/v1/traces",
        content=request.SerializeToString(),
        headers={"content-type": "application/x-protobuf"},
    )
    assert answer.status_code == httpx.codes.OK
    assert get_found(f"/api/traces/{TRACE_ID}").status_code == httpx.codes.OK
    return start_ns // 1000


@pytest.mark.usefixtures("stored_us")
class TestGrafana:
    def test_services_are_its_health_check_and_its_list(self, api: httpx.Client) -> None:
        envelope = _decode(api.get("/api/services"))
        assert {"shop frontend", "cart"} <= set(envelope.data)
        assert envelope.total == len(envelope.data)
        assert envelope.errors is None

    def test_operations_of_a_service_whose_name_is_escaped(self, api: httpx.Client) -> None:
        assert _decode(api.get("/api/services/shop%20frontend/operations")).data == ["GET /cart"]

    def test_search_with_logfmt_tags_and_durations(self, api: httpx.Client, stored_us: int) -> None:
        query = {
            "service": "shop frontend",
            "operation": "GET /cart",
            "tags": json.dumps({"http.method": "GET"}),
            "minDuration": "10ms",
            "maxDuration": "1.5s",
            "limit": "20",
            "start": str(stored_us - 60_000_000),
            "end": str(stored_us + 60_000_000),
        }
        (trace,) = TRACES.validate_python(_decode(api.get("/api/traces", params=query)).data)
        assert trace.traceID == SHORT_TRACE_ID
        assert {span.operationName for span in trace.spans} == {"GET /cart", "Cart/Get"}

    def test_search_that_finds_nothing_is_an_empty_list(self, api: httpx.Client) -> None:
        query = {"service": "shop frontend", "minDuration": "1h"}
        assert _decode(api.get("/api/traces", params=query)).data == []

    def test_bad_duration_is_refused(self, api: httpx.Client) -> None:
        answer = api.get("/api/traces", params={"service": "cart", "minDuration": "ten"})
        assert answer.status_code == httpx.codes.BAD_REQUEST

    @pytest.mark.parametrize("unit", ["none", "milliseconds", "microseconds"])
    def test_trace_with_times_in_either_unit(self, api: httpx.Client, stored_us: int, unit: str) -> None:
        divisor = {"none": None, "milliseconds": 1000, "microseconds": 1}[unit]
        ends = (stored_us - 3_600_000_000, stored_us + 3_600_000_000)
        query = {} if divisor is None else {"start": ends[0] // divisor, "end": ends[1] // divisor}
        (trace,) = TRACES.validate_python(_decode(api.get(f"/api/traces/{TRACE_ID}", params=query)).data)
        child = next(span for span in trace.spans if span.operationName == "Cart/Get")
        assert child.references[0].spanID == "00000000000000a1"
        assert trace.processes[child.processID].serviceName == "cart"

    def test_unknown_trace_is_404_as_it_indexes_the_first_element(self, api: httpx.Client) -> None:
        assert api.get("/api/traces/deadbeefdeadbeefdeadbeefdeadbeef").status_code == httpx.codes.NOT_FOUND

    def test_dependencies_in_milliseconds(self, api: httpx.Client, stored_us: int) -> None:
        query = {"endTs": str(stored_us // 1000 + 60_000), "lookback": "3600000"}
        calls = _decode(api.get("/api/dependencies", params=query)).data
        assert {"parent": "shop frontend", "child": "cart", "callCount": 1} in calls

    def test_v3_search_with_snake_case_and_unescaped_times(self, api: httpx.Client, stored_us: int) -> None:
        start = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(stored_us / 1e6 - 60))
        end = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(stored_us / 1e6 + 60))
        times = (
            f"query.start_time_min={start}&query.start_time_max={end}"  # as it sends them: "+" not escaped
        )
        answer = api.get(
            f"/api/v3/traces?query.service_name=shop%20frontend&query.operation_name=GET%20%2Fcart"
            f"&query.search_depth=20&{times}"
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        names = [
            span["name"]
            for resource_spans in answer.json()["result"]["resourceSpans"]
            for scope_spans in resource_spans["scopeSpans"]
            for span in scope_spans["spans"]
        ]
        assert sorted(names) == ["Cart/Get", "GET /cart"]

    def test_v3_services_and_operations(self, api: httpx.Client) -> None:
        assert "cart" in api.get("/api/v3/services").json()["services"]
        operations = api.get("/api/v3/operations", params={"service": "cart"}).json()["operations"]
        assert operations == [{"name": "Cart/Get", "spanKind": "server"}]


@pytest.mark.usefixtures("stored_us")
class TestKiali:
    HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}  # noqa: RUF012  sent on GET

    def _search(self, api: httpx.Client, stored_us: int, tags: dict[str, str], **more: str) -> Envelope:
        seconds = stored_us // 1_000_000
        query = {
            "service": "shop frontend",
            "start": str((seconds - 600) * 1_000_000),
            "end": str((seconds + 600) * 1_000_000),
            "tags": json.dumps(tags),
            "limit": "100",
            **more,
        }
        return _decode(api.get("/api/traces", params=query, headers=self.HEADERS))

    def test_status_is_the_service_list(self, api: httpx.Client) -> None:
        assert "cart" in _decode(api.get("/api/services", headers=self.HEADERS)).data

    def test_probe_for_the_cluster_tag(self, api: httpx.Client, stored_us: int) -> None:
        found = TRACES.validate_python(self._search(api, stored_us, {CLUSTER_TAG: "Kubernetes"}).data)
        assert [trace.traceID for trace in found] == [SHORT_TRACE_ID]
        assert self._search(api, stored_us, {CLUSTER_TAG: "elsewhere"}).data == []

    def test_minimum_duration_carries_a_unit(self, api: httpx.Client, stored_us: int) -> None:
        tags = {CLUSTER_TAG: "Kubernetes"}
        assert len(self._search(api, stored_us, tags, minDuration="30000us").data) == 1
        assert self._search(api, stored_us, tags, minDuration="30001us").data == []

    def test_error_tag_finds_failed_spans(self, api: httpx.Client, stored_us: int) -> None:
        seconds = stored_us // 1_000_000
        query = {
            "service": "cart",
            "start": str((seconds - 600) * 1_000_000),
            "end": str((seconds + 600) * 1_000_000),
            "tags": json.dumps({"error": "true"}),
            "limit": "100",
        }
        assert len(_decode(api.get("/api/traces", params=query, headers=self.HEADERS)).data) == 1

    def test_trace_detail(self, api: httpx.Client) -> None:
        envelope = _decode(api.get(f"/api/traces/{SHORT_TRACE_ID}", headers=self.HEADERS))
        (trace,) = TRACES.validate_python(envelope.data)
        assert envelope.errors is None
        assert len(trace.spans) == 2
