"""Lines of Istio's default text and JSON formats as columns, and as OTLP."""

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from vigla.wire.access_logs import envelope
from vigla.wire.access_logs.decode import AccessLogDecoder
from vigla.wire.access_logs.lines import parsed
from vigla.wire.access_logs.to_otlp import request

TEXT = (
    '[2026-05-01T10:00:00.123Z] "GET /a?b="c" d HTTP/1.1" 503 UF,URX upstream_reset - '
    '"delayed "connect" error" 10 20 5 - "10.9.9.9,10.8.8.8" "Mozilla/5.0 ("x") y" "rid" "shop:80" '
    '"10.0.0.2:80" outbound|80|v1|shop.default.svc.cluster.local 10.0.0.1:4000 10.1.1.1:80 [::1]:5000 '
    "sni.example default route"
)
TCP = (
    '[2026-05-01T10:00:00Z] "- - -" 0 - - - "-" 10 20 30 - "-" "-" "-" "-" "10.0.0.3:3306" '
    "outbound|3306||mysql.default.svc.cluster.local 10.0.0.1:1 10.0.0.2:2 10.0.0.3:3 - -"
)
TRACE = "0af7651916cd43dd8448eb211c80319c"


def rows(*lines: str) -> list[dict[str, object]]:
    payload = envelope.wrap(envelope.OTLP, request(parsed(lines), {}, {}))
    return AccessLogDecoder().decode([payload]).to_pylist()


def test_every_field_of_a_text_line_is_read() -> None:
    logs = parsed([TEXT])
    assert {name: column.to_pylist() for name, column in logs.columns.items()} == {
        "method": ["GET"],
        "path": ['/a?b="c" d'],
        "protocol": ["HTTP/1.1"],
        "response_code": ["503"],
        "response_flags": ["UF,URX"],
        "response_code_details": ["upstream_reset"],
        "connection_termination_details": [None],
        "upstream_transport_failure_reason": ['delayed "connect" error'],
        "bytes_received": ["10"],
        "bytes_sent": ["20"],
        "duration": ["5"],
        "upstream_service_time": [None],
        "x_forwarded_for": ["10.9.9.9,10.8.8.8"],
        "user_agent": ['Mozilla/5.0 ("x") y'],
        "request_id": ["rid"],
        "authority": ["shop:80"],
        "upstream_host": ["10.0.0.2:80"],
        "upstream_cluster": ["outbound|80|v1|shop.default.svc.cluster.local"],
        "upstream_local_address": ["10.0.0.1:4000"],
        "downstream_local_address": ["10.1.1.1:80"],
        "downstream_remote_address": ["[::1]:5000"],
        "requested_server_name": ["sni.example"],
        "route_name": ["default route"],
    }
    assert logs.starts.to_pylist() == [1_777_629_600_123_000_000]


def test_a_connection_is_tcp_without_a_status() -> None:
    (row,) = rows(TCP)
    assert (row["protocol"], row["method"], row["status"]) == ("TCP", None, None)
    assert (row["bytes_received"], row["bytes_sent"], row["dur"]) == (10, 20, 30_000_000)


def test_keys_that_a_mesh_adds_to_json_are_tags_and_a_trace_id_is_the_trace() -> None:
    line = {"start_time": "2026-05-01T10:00:00.000Z", "trace_id": TRACE, "mine": {"a": 1}, "method": "GET"}
    (row,) = rows(orjson.dumps(line).decode())
    assert (row["trace_id"], row["method"]) == (TRACE, "GET")
    assert orjson.loads(str(row["tags"])) == {"mine": '{"a":1}'}


def test_what_a_container_runtime_writes_in_front_is_passed_over() -> None:
    (row,) = rows(f"2026-05-01T10:00:01.5Z stdout F {TEXT}")
    assert row["request_id"] == "rid"


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "{",
        "[]",
        "{}",
        '{"start_time":"yesterday"}',
        TEXT.replace("05-01T", "02-31T"),
        TEXT.replace("[2026", "[x"),
        TEXT[:120],
    ],
)
def test_other_lines_are_skipped_and_cost_no_others(line: str) -> None:
    logs = parsed([TEXT, line, TCP])
    assert (len(logs.starts), logs.skipped) == (2, 1)


def test_empty_lines_are_no_lines() -> None:
    assert parsed(["", ""])[2] == parsed([])[2] == 0


def test_values_of_any_length_are_framed_rightly() -> None:
    lengths = [1, 2, 100, 127, 128, 129, 300, 16_383, 16_384, 70_000]
    lines = [
        orjson.dumps({"start_time": "2026-05-01T10:00:00Z", "path": "é" * n, "n": n}).decode()
        for n in lengths
    ]
    found = ExportLogsServiceRequest.FromString(request(parsed(lines), {"node_name": "n"}, {"a": "b"}))
    records = found.resource_logs[0].scope_logs[0].log_records
    read = [{a.key: a.value.string_value for a in record.attributes} for record in records]
    assert read == [{"path": "é" * n, "n": str(n), "a": "b"} for n in lengths]
