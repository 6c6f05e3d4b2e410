"""Spans counted by start and duration, and where they usually are."""

from typing import Any

import pytest
from httpx import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

HEATMAP = "/api/vigla/v1/traces/heatmap"
START_US = 1_790_000_000_000_000
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US


def send(http: Client, spans: list[tuple[int, int, bool]], service: str = "shop") -> None:
    """Spans by start and duration in microseconds, and whether they failed."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = service
    scope = group.scope_spans.add()
    for number, (start, took, failed) in enumerate(spans, 1):
        span = scope.spans.add(
            trace_id=(start + number).to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            name="GET /",
            start_time_unix_nano=start * 1000,
            end_time_unix_nano=(start + took) * 1000,
        )
        span.attributes.add(key="version").value.string_value = "v2" if failed else "v1"
        span.status.code = 2 if failed else 0
    assert http.post("/v1/traces", content=request.SerializeToString()).status_code == 200


def ask(http: Client, **filters: str | int) -> dict[str, Any]:
    """Ten columns of a second each, less a microsecond that belongs to nobody."""
    span = {"start": START_US, "end": START_US + 10 * SECOND_US - 1, "columns": 10}
    answer = http.get(HEATMAP, params=span | filters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def cells(body: dict[str, Any]) -> list[tuple[int, ...]]:
    """Column, bucket, spans, errors."""
    return list(zip(*(body["cells"][name] for name in ("column", "bucket", "spans", "errors")), strict=True))


def test_spans_are_counted_in_cells(trace_server: str) -> None:
    with Client(base_url=trace_server) as http:
        slow, fast = 1024, 2  # 2^10 and 2^1 microseconds
        send(
            http,
            [
                (START_US, fast, False),
                (START_US + 5, slow, False),
                (START_US + SECOND_US - 1, slow, True),
                (START_US + 3 * SECOND_US, 0, False),
                (START_US + 10 * SECOND_US - 1, 1449, False),  # just above 2^10.5
                (START_US + 10 * SECOND_US, slow, False),  # after the end
            ],
        )
        body = ask(http)
    assert cells(body) == [(0, 2, 1, 0), (0, 20, 2, 1), (3, 0, 1, 0), (9, 21, 1, 0)]
    assert (body["step"], body["buckets_per_octave"], body["usual"]) == (SECOND_US, 2, None)


@pytest.mark.parametrize(
    ("filters", "spans"),
    [
        ({"service": "shop"}, 3),
        ({"service": "bank"}, 1),
        ({"operation": "GET /none"}, 0),
        ({"tags": '{"version":"v2"}'}, 1),
        ({"min_duration": "1ms"}, 2),
        ({"min_duration": "1ms", "max_duration": "1.5ms"}, 1),
    ],
)
def test_filters_are_those_of_the_search(trace_server: str, filters: dict[str, str], spans: int) -> None:
    with Client(base_url=trace_server) as http:
        send(http, [(START_US, 10, False), (START_US, 1200, True), (START_US, 9000, False)])
        send(http, [(START_US, 10, False)], "bank")
        assert sum(ask(http, **filters)["cells"]["spans"]) == spans


@pytest.mark.parametrize(("days", "ago"), [((1,), 1), ((7,), 7), ((1, 7), 7)])
def test_the_usual_is_a_week_or_a_day_earlier(trace_server: str, days: tuple[int, ...], ago: int) -> None:
    with Client(base_url=trace_server) as http:
        for day in days:
            earlier = START_US - day * DAY_US
            send(http, [(earlier, 1000 * number, False) for number in range(21)])
        usual = ask(http)["usual"]
    assert usual["ago"] == ago * 86_400
    assert usual["parts"] == [{"part": 0, "spans": 21, "low": 1000, "high": 19_000}]


def test_a_handful_of_spans_is_no_usual(trace_server: str) -> None:
    with Client(base_url=trace_server) as http:
        send(http, [(START_US - DAY_US, 1000, False)] * 3)
        assert ask(http)["usual"] is None


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"end": START_US}, "start must be before end"),
        ({"tags": "[]"}, "tags: expected an object of strings"),
        ({"min_duration": "5"}, "min_duration: time: missing unit"),
    ],
)
def test_bad_filters_are_told_what_to_mend(
    trace_server: str, filters: dict[str, str | int], message: str
) -> None:
    with Client(base_url=trace_server) as http:
        answer = http.get(HEATMAP, params={"start": START_US, "end": START_US + 1} | filters)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
