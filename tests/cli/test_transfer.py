"""``vigla import``: what it sends, how it retries, what it reports."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import orjson
import pytest
from fastapi import FastAPI, Request, Response
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from typer.testing import CliRunner, Result

from vigla.cli.main import app
from vigla.cli.sending import Sender
from vigla.errors import SettingsError, ViglaError

Serving = Callable[[FastAPI], AbstractContextManager[str]]

SPAN = {"traceId": f"{1:032x}", "spanId": f"{2:016x}", "name": "get"}
runner = CliRunner()


class Receiver:
    """An OTLP/HTTP receiver that answers as scripted, then with success."""

    def __init__(self, *script: Response) -> None:
        self.spans: list[int] = []
        self.app = FastAPI()
        self.app.post("/v1/traces")(self._take)
        self._script = list(script)

    async def _take(self, request: Request) -> Response:
        message = ExportTraceServiceRequest.FromString(await request.body())
        self.spans.append(sum(len(s.spans) for r in message.resource_spans for s in r.scope_spans))
        return self._script.pop(0) if self._script else Response(b"", media_type="application/x-protobuf")


def write(path: Path, spans: int) -> Path:
    path.write_bytes(orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN] * spans}]}]}))
    return path


def run(*arguments: object) -> Result:
    return runner.invoke(app, ["import", *map(str, arguments)])


def test_sends_all_files_in_bounded_requests(serving: Serving, tmp_path: Path):
    receiver = Receiver()
    with serving(receiver.app) as url:
        result = run(write(tmp_path / "a.json", 4500), write(tmp_path / "b.json", 1), "--endpoint", url)
    assert result.exit_code == 0
    assert receiver.spans == [2000, 2000, 500, 1]
    assert "imported 4,501 spans in 4 requests" in result.stderr


def test_partial_success_is_reported(serving: Serving, tmp_path: Path):
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 2
    answer.partial_success.error_message = "bad ids"
    receiver = Receiver(Response(answer.SerializeToString()))
    with serving(receiver.app) as url:
        result = run(write(tmp_path / "a.json", 5), "--endpoint", url)
    assert result.exit_code == 1
    assert "imported 3 spans" in result.stderr
    assert "rejected 2 spans: bad ids" in result.stderr


def test_refused_request_is_reported_with_its_status_message(serving: Serving, tmp_path: Path):
    status = b"\x08\x03\x12\x07too big"  # google.rpc.Status: code 3, message
    receiver = Receiver(Response(status, 413, media_type="application/x-protobuf"))
    with serving(receiver.app) as url:
        result = run(write(tmp_path / "a.json", 5), "--endpoint", url)
    assert result.exit_code == 1
    assert "rejected 5 spans: status 413: too big" in result.stderr


def test_unreadable_file_does_not_stop_the_others(serving: Serving, tmp_path: Path):
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    receiver = Receiver()
    with serving(receiver.app) as url:
        result = run(bad, write(tmp_path / "a.json", 1), "--endpoint", url)
    assert result.exit_code == 1
    assert receiver.spans == [1]
    assert "bad.json: no JSON" in result.stderr


def test_overload_is_waited_for_as_told(serving: Serving):
    waits: list[float] = []
    receiver = Receiver(Response(status_code=429, headers={"Retry-After": "3"}), Response(status_code=503))
    request = ExportTraceServiceRequest()
    with serving(receiver.app) as url, Sender(url, sleep=waits.append) as sender:
        sender.send(request, 7)
    assert waits == [3.0, 0.5]
    assert (sender.summary.accepted, sender.summary.requests, sender.summary.retries) == (7, 1, 2)


def test_overload_that_stays_is_given_up(serving: Serving):
    receiver = Receiver(*(Response(status_code=429) for _ in range(50)))
    with (
        serving(receiver.app) as url,
        Sender(url, sleep=lambda _: None, retry_for_s=20) as sender,
        pytest.raises(ViglaError, match=r"gave up after .* answers 429"),
    ):
        sender.send(ExportTraceServiceRequest(), 1)


def test_no_receiver():
    with Sender("http://127.0.0.1:9") as sender, pytest.raises(ViglaError, match="nothing listens"):
        sender.send(ExportTraceServiceRequest(), 1)
    with Sender("nonsense") as sender, pytest.raises(SettingsError):
        sender.send(ExportTraceServiceRequest(), 1)
