"""``vigla serve`` as a process: start, send, ask, stop, start again; and why it refuses to start."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

TRACE_ID = "5b8efff798038103d269b633813fc60c"
READY_WITHIN_S = 60
VISIBLE_WITHIN_S = 20.0
OPTIONS = ("--otlp-grpc-port=0", "--otlp-http-port=0", "--http-port=0", "--health-port=0")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data"


def _launch(directory: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "vigla", "serve", f"--storage-path={directory}", *(options or OPTIONS)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=directory.parent)


@contextmanager
def running(directory: Path) -> Iterator[dict[str, str]]:
    """A server that is stopped by SIGTERM at the end, and must then exit 0; gives its "ready" line."""
    process = _launch(directory)
    assert process.stderr is not None
    try:
        lines = (json.loads(line) for line in process.stderr)
        yield next(line for line in lines if line["event"] == "ready")
        process.send_signal(signal.SIGTERM)
        events = [line["event"] for line in lines]
        assert (process.wait(READY_WITHIN_S), events[-1]) == (0, "stopped")
    finally:
        process.kill()
        process.stderr.close()
        process.wait()


def _send(ready: dict[str, str], name: str) -> None:
    now = time.time_ns()
    span = {
        "traceId": TRACE_ID, "spanId": f"{now % 2**63:016x}", "name": name, "kind": 2,
        "startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 1_000_000),
    }  # fmt: skip
    service = {"key": "service.name", "value": {"stringValue": "shop"}}
    body = {"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": [{"spans": [span]}]}]}
    httpx.post(f"{ready['otlp_http']}/v1/traces", json=body).raise_for_status()


def _names(ready: dict[str, str], count: int) -> set[str]:
    """Names of the trace's spans, once there are ``count``."""
    deadline = time.monotonic() + VISIBLE_WITHIN_S
    spans: list[dict[str, Any]] = []
    while len(spans) < count and time.monotonic() < deadline:
        answer = httpx.get(f"{ready['query']}/api/traces/{TRACE_ID}")
        spans = answer.json()["data"][0]["spans"] if answer.is_success else []
    return {span["operationName"] for span in spans}


def test_what_was_sent_is_there_after_a_restart(directory: Path) -> None:
    with running(directory) as ready:
        _send(ready, "first")
        assert _names(ready, 1) == {"first"}
        _send(ready, "second")  # stopped at once: what was acknowledged is flushed or read again
    with running(directory) as ready:
        assert _names(ready, 2) == {"first", "second"}
        _send(ready, "third")
        assert _names(ready, 3) == {"first", "second", "third"}


def test_health_and_metrics_of_a_running_server(directory: Path) -> None:
    with running(directory) as ready:
        assert httpx.get(f"{ready['health']}/readyz").json()["status"] == "ready"
        assert httpx.get(f"{ready['health']}/status").json() == {"status": "StatusOK"}
        _send(ready, "first")
        _names(ready, 1)
        text = httpx.get(f"{ready['health']}/metrics").text
        assert re.search(
            r'^vigla_collector_accepted_total{signal="traces",transport="http"} 1.0$', text, re.MULTILINE
        )
        assert re.search(r'^vigla_bus_lag_records{topic="traces"} ', text, re.MULTILINE)


def test_spans_are_also_taken_on_the_query_port(directory: Path) -> None:
    """Pages may send their own spans to where they came from, without a word about cross-origin requests."""
    with running(directory) as ready:
        _send({"otlp_http": f"{ready['query']}/api/otlp"}, "browser")
        assert _names(ready, 1) == {"browser"}


def _refused(directory: Path, *options: str) -> str:
    """The last line of a start that fails; libraries may log before it."""
    process = _launch(directory, *options)
    _, said = process.communicate(timeout=READY_WITHIN_S)
    assert process.returncode == 2
    assert "Traceback" not in said
    return said.splitlines()[-1]


@pytest.mark.parametrize("option", ["--otlp-grpc-port", "--otlp-http-port", "--http-port", "--health-port"])
def test_busy_port_is_refused_by_name(directory: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = [o for o in OPTIONS if not o.startswith(option)]
        said = _refused(directory, *options, f"{option}={port}")
    assert f"127.0.0.1:{port}" in said


def test_second_process_on_the_same_data_is_refused(directory: Path) -> None:
    with running(directory):
        assert str(directory) in _refused(directory, *OPTIONS)
