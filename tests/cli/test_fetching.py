"""``vigla export``: what it asks a Jaeger API for, and the files it writes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response
from typer.testing import CliRunner, Result

from vigla.cli.fetching import instant
from vigla.cli.main import app
from vigla.errors import NotFound, SettingsError, ViglaError
from vigla.wire.trace_files import read_requests

Serving = Callable[[FastAPI], AbstractContextManager[str]]

IDS = [f"{number:032x}" for number in (1, 2)]
runner = CliRunner()


class JaegerApi:
    """Two services that share one of two traces."""

    def __init__(self) -> None:
        self.searches: list[dict[str, str]] = []
        self.app = FastAPI()
        self.app.get("/api/services")(lambda: {"data": ["bank", "shop"]})
        self.app.get("/api/v3/trace-summaries")(self._summaries)
        self.app.get("/api/v3/traces/{trace_id}")(self._v3)
        self.app.get("/api/traces/{trace_id}")(self._v1)

    def _summaries(self, request: Request) -> object:
        self.searches.append(dict(request.query_params))
        found = {"bank": IDS, "shop": IDS[1:]}.get(request.query_params["query.serviceName"])
        return {"summaries": [{"traceId": i} for i in found]} if found else Response(status_code=404)

    def _v3(self, trace_id: str) -> object:
        if trace_id not in IDS:
            return Response("trace not found", 404)
        span = {"traceId": trace_id, "spanId": f"{7:016x}", "name": "get", "startTimeUnixNano": "123456789"}
        return {"result": {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}}

    def _v1(self, trace_id: str) -> object:
        span = {
            "traceID": trace_id,
            "spanID": "7",
            "operationName": "get",
            "startTime": 123456,
            "processID": "p1",
        }
        return {
            "data": [{"traceID": trace_id, "spans": [span], "processes": {"p1": {"serviceName": "bank"}}}]
        }


def run(url: str, output: Path, *arguments: str) -> Result:
    result = runner.invoke(app, ["export", "--url", url, "-o", str(output), *arguments])
    if result.exception is not None:
        raise result.exception
    return result


def ids_in(path: Path) -> list[str]:
    messages = read_requests(path.open("rb"))
    return [
        span.trace_id.hex()
        for message in messages
        for group in message.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


@pytest.mark.parametrize("form", ["jaeger", "otlp-json", "otlp-proto"])
def test_every_format_can_be_imported(serving: Serving, tmp_path: Path, form: str):
    output = tmp_path / "out"
    with serving(JaegerApi().app) as url:
        result = run(url, output, "--format", form)
    assert ids_in(output) == IDS
    assert "exported 2 traces" in result.stderr


def test_search_is_bounded_as_asked(serving: Serving, tmp_path: Path):
    api = JaegerApi()
    with serving(api.app) as url:
        run(
            url,
            tmp_path / "out",
            "--service",
            "shop",
            "--start",
            "2026-01-01",
            "--end",
            "2026-01-02",
            "--limit",
            "7",
        )
    assert ids_in(tmp_path / "out") == IDS[1:]
    assert api.searches == [
        {
            "query.serviceName": "shop",
            "query.startTimeMin": "2026-01-01T00:00:00+00:00",
            "query.startTimeMax": "2026-01-02T00:00:00+00:00",
            "query.searchDepth": "7",
        }
    ]


def test_nothing_found_is_an_empty_document(serving: Serving, tmp_path: Path):
    with serving(JaegerApi().app) as url:
        run(url, tmp_path / "out", "--service", "none")
    assert (tmp_path / "out").read_bytes() == b'{"data":[]}\n'


def test_missing_trace_leaves_no_file(serving: Serving, tmp_path: Path):
    with serving(JaegerApi().app) as url, pytest.raises(NotFound, match="trace not found"):
        run(url, tmp_path / "out", "--format", "otlp-json", "--trace-id", IDS[0], "--trace-id", "f")
    assert list(tmp_path.iterdir()) == []


def test_no_server(tmp_path: Path):
    with pytest.raises(ViglaError, match=r"127\.0\.0\.1:9"):
        run("http://127.0.0.1:9", tmp_path / "out")


def test_instants():
    assert instant("2026-01-01T00:00:00").isoformat() == "2026-01-01T00:00:00+00:00"
    assert instant("2026-01-01T00:00:00+02:00").isoformat() == "2026-01-01T00:00:00+02:00"
    assert (instant("0s") - instant("2h")).total_seconds() == pytest.approx(7200, abs=5)
    with pytest.raises(SettingsError, match="ISO 8601"):
        instant("yesterday")
