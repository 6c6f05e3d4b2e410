"""Traces beside others: what is special about some, and how long their operations usually take."""

import numpy as np
import pytest
from httpx import Client, Response
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from query.traces.contrast import fisher

START_US = 1_790_000_000_000_000
EXPLAIN = "/api/vigla/v1/traces/explain"


def send(http: Client, failing: int, fine: int) -> tuple[dict[str, int], dict[str, int]]:
    """Failing traces of version v2 with a slash in a key, fine ones of version v1; ids with their starts."""
    request = ExportTraceServiceRequest()
    sides: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for number in range(1, failing + fine + 1):
        failed = number <= failing
        start = START_US + number
        group = request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = "shop"
        group.resource.attributes.add(key="pod").value.string_value = f"shop-{number}"
        span = group.scope_spans.add().spans.add(
            trace_id=number.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            name="GET /",
            start_time_unix_nano=start * 1000,
            end_time_unix_nano=(start + number * 1000) * 1000,
        )
        span.status.code = 2 if failed else 0
        span.attributes.add(key="app/ver~sion").value.string_value = "v2" if failed else "v1"
        span.attributes.add(key="http.response.status_code").value.int_value = 500 if failed else 200
        sides[0 if failed else 1][f"{number:032x}"] = start
    assert http.post("/v1/traces", content=request.SerializeToString()).status_code == 200
    return sides


def test_what_only_the_failing_ones_have_comes_first(trace_server: str) -> None:
    with Client(base_url=trace_server) as http:
        failing, fine = send(http, 8, 20)
        body = http.post(EXPLAIN, json={"selected": failing, "others": fine}).json()
    found = {(d["level"], d["key"], d["value"]): (d["selected"], d["others"]) for d in body["differences"]}
    assert found == {
        ("intrinsic", "status", "error"): (1, 0),
        ("intrinsic", "status", "ok"): (0, 1),
        ("span", "app/ver~sion", "v2"): (1, 0),
        ("span", "app/ver~sion", "v1"): (0, 1),
        ("span", "http.response.status_code", "500"): (1, 0),
        ("span", "http.response.status_code", "200"): (0, 1),
    }


def test_few_traces_prove_nothing(trace_server: str) -> None:
    with Client(base_url=trace_server) as http:
        failing, fine = send(http, 1, 14)
        assert http.post(EXPLAIN, json={"selected": failing, "others": fine}).json() == {"differences": []}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"selected": {"1": 1}}, "others: Field required"),
        ({"selected": {}, "others": {"1": 1}}, "selected: Dictionary should have at least 1 item"),
        ({"selected": {"1": 1}, "others": {"1": 1}}, "trace 1 is on both sides"),
        ({"selected": {"x": 1}, "others": {"1": 1}}, 'invalid trace ID "x"'),
        ({"selected": {"1": -1}, "others": {"2": 1}}, "selected.1: Input should be greater"),
    ],
)
def test_bad_bodies_are_told_what_to_mend(trace_server: str, body: object, message: str) -> None:
    with Client(base_url=trace_server) as http:
        answer: Response = http.post(EXPLAIN, json=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_usual_durations_are_of_the_other_traces(trace_server: str) -> None:
    with Client(base_url=trace_server) as http:
        send(http, 0, 22)
        answer = http.get(
            f"/api/vigla/v1/traces/{22:x}/usual", params={"start": START_US, "end": START_US + 10**6}
        )
    (operation,) = answer.json()["operations"]
    assert operation == {"service": "shop", "operation": "GET /", "spans": 21, "p50": 11_000, "p95": 20_000}


def test_fisher_agrees_with_a_count_by_hand() -> None:
    # One of 15 is selected and it is the only one that has the value: a chance of 1 in 15.
    assert fisher(np.array([1]), np.array([0]), 1, 14) == pytest.approx([1 / 15])
    # The lady who tasted tea: all four right of eight, 1 in 70; and none right.
    assert fisher(np.array([4, 0]), np.array([0, 4]), 4, 4) == pytest.approx([1 / 70, 1 / 70])
    assert fisher(np.array([2]), np.array([2]), 4, 4) == pytest.approx([53 / 70])
