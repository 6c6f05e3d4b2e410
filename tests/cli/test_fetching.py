"""``vigla export``, and what it writes imported again."""

from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from typer.testing import CliRunner, Result

from vigla.cli.fetching import instant
from vigla.cli.main import app
from vigla.errors import NotFound, SettingsError, ViglaError
from vigla.wire.trace_files import read_requests

FORMATS = ["jaeger", "otlp-json", "otlp-proto"]
START = 1_790_000_000_123_456_000
runner = CliRunner()


def trace(number: int, service: str, digits: int = 456_789) -> ExportTraceServiceRequest:
    """One trace of two spans with everything that the formats have to carry."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = service
    group.resource.attributes.add(key="host").value.string_value = "h1"
    scope_spans = group.scope_spans.add()
    scope_spans.scope.name, scope_spans.scope.version = "lib", "1.0"
    start = START - 456_000 + digits
    for span_number in (1, 2):
        span = scope_spans.spans.add(
            trace_id=number.to_bytes(16, "big"),
            span_id=span_number.to_bytes(8, "big"),
            parent_span_id=b"" if span_number == 1 else (1).to_bytes(8, "big"),
            name=f"step {span_number}",
            kind=2,
            start_time_unix_nano=start,
            end_time_unix_nano=start + 5_000,
            trace_state="a=b",
        )
        values = {"text": "ü", "big": 2**60, "ratio": 0.5, "yes": True, "raw": b"\0\1"}
        fields = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
        for key, value in values.items():
            setattr(span.attributes.add(key=key).value, fields.get(type(value), "bytes_value"), value)
        event = span.events.add(time_unix_nano=start, name="retry")
        event.attributes.add(key="n").value.int_value = 1
        span.links.add(trace_id=(99).to_bytes(16, "big"), span_id=(9).to_bytes(8, "big"))
        span.status.code, span.status.message = 2, "broke"
    return request


def send(url: str, *requests: ExportTraceServiceRequest) -> None:
    for request in requests:
        httpx.post(f"{url}/v1/traces", content=request.SerializeToString()).raise_for_status()


def run(*arguments: str) -> Result:
    result = runner.invoke(app, list(arguments))
    if result.exception is not None:
        raise result.exception
    return result


def export(url: str, output: Path, *arguments: str) -> Path:
    run("export", "--url", url, "-o", str(output), *arguments)
    return output


def ids_in(path: Path) -> set[str]:
    with path.open("rb") as file:
        groups = [group for message in read_requests(file) for group in message.resource_spans]
    return {span.trace_id.hex() for group in groups for scope in group.scope_spans for span in scope.spans}


@pytest.mark.parametrize("form", FORMATS)
def test_import_of_an_export_equals_it(trace_server: str, another_server: str, tmp_path: Path, form: str):
    digits = 456_000 if form == "jaeger" else 456_789  # Jaeger's JSON has microseconds
    send(trace_server, trace(2**100, "shop", digits), trace(2, "bank", digits))
    ids = ("--trace-id", f"{2**100:032x}", "--trace-id", f"{2:032x}", "--format", form)
    first = export(trace_server, tmp_path / "first", *ids)
    run("import", str(first), "--endpoint", another_server)
    second = export(another_server, tmp_path / "second", *ids)
    assert first.read_bytes() == second.read_bytes()
    assert ids_in(first) == {f"{2**100:032x}", f"{2:032x}"}


def test_finds_traces_of_a_service_or_of_all(trace_server: str, tmp_path: Path):
    send(trace_server, trace(1, "shop"), trace(2, "bank"), trace(3, "bank"))
    every = {f"{number:032x}" for number in (1, 2, 3)}
    assert ids_in(export(trace_server, tmp_path / "all")) == every
    assert ids_in(export(trace_server, tmp_path / "shop", "--service", "shop")) == {f"{1:032x}"}
    assert len(ids_in(export(trace_server, tmp_path / "one", "--service", "bank", "--limit", "1"))) == 1
    start, end = "2026-09-21T14:00:00Z", "2026-09-21T15:00:00"
    assert ids_in(export(trace_server, tmp_path / "in", "--start", start, "--end", end)) == every


@pytest.mark.parametrize("arguments", [("--service", "none"), ("--start", "2026-09-22")])
def test_nothing_found_is_an_empty_document(trace_server: str, tmp_path: Path, arguments: tuple[str, ...]):
    send(trace_server, trace(1, "shop"))
    assert export(trace_server, tmp_path / "out", *arguments).read_bytes() == b'{"data":[]}\n'


def test_missing_trace_leaves_no_file(trace_server: str, tmp_path: Path):
    send(trace_server, trace(1, "shop"))
    with pytest.raises(NotFound, match="trace not found"):
        export(trace_server, tmp_path / "out", "--trace-id", f"{1:032x}", "--trace-id", "f")
    assert list(tmp_path.iterdir()) == []


def test_no_server(tmp_path: Path):
    with pytest.raises(ViglaError, match=r"127\.0\.0\.1:9"):
        export("http://127.0.0.1:9", tmp_path / "out")


def test_instants():
    assert instant("2026-01-01T00:00:00").isoformat() == "2026-01-01T00:00:00+00:00"
    assert instant("2026-01-01T00:00:00+02:00").isoformat() == "2026-01-01T00:00:00+02:00"
    assert (instant("0s") - instant("2h")).total_seconds() == pytest.approx(7200, abs=5)
    with pytest.raises(SettingsError, match="ISO 8601"):
        instant("yesterday")
