"""What Telemetry objects change: where access logs go and in which form, and which requests are traced."""

import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.mesh.mesh import Answer, Mesh, eventually, request
from tests.e2e.mesh.objects import mesh_config, telemetry, to, virtual_service

FORMATS: dict[str, tuple[dict[str, Any], str]] = {
    "text": ({"text": "asked %REQ(:METHOD)% %REQ(X-REQUEST-ID)% %RESPONSE_CODE%\n"}, "asked GET {} 200"),
    "json": (
        {"labels": {"id": "%REQ(X-REQUEST-ID)%", "status": "%RESPONSE_CODE%"}},
        '{{"id":"{}","status":200}}',
    ),
}


def call(mesh: Mesh, **headers: str) -> Answer:
    """A request with a plain UUID, into which Envoy writes whether it is traced."""
    return mesh.call(headers={"x-request-id": str(uuid.uuid4()), **headers})


def spans(mesh: Mesh, answer: Answer) -> list[dict[str, Any]]:
    """The spans of a request's trace, as the application was told it."""
    trace = answer.body["headers"].get("traceparent", "--").split("-")[1]
    found = httpx.get(f"{mesh.server.query_url}/api/traces/{trace}", timeout=10)
    return [span for t in found.json()["data"] or () for span in t["spans"]] if found.is_success else []


@pytest.mark.parametrize("name", FORMATS)
def test_access_logs_go_to_a_file_in_the_form_that_was_asked_for(
    mesh: Mesh, name: str, tmp_path: Path
) -> None:
    log_format, expected = FORMATS[name]
    path = tmp_path / "access.log"
    provider = {"name": "file", "envoyFileAccessLog": {"path": str(path), "logFormat": log_format}}
    chosen = telemetry(
        "logs",
        selector={"matchLabels": {"app": "client"}},
        accessLogging=[{"providers": [{"name": "file"}]}],
    )
    with mesh.applied(mesh_config(extensionProviders=[provider]), chosen):

        def logged() -> bool:
            answer = mesh.call()
            return eventually(lambda: expected.format(answer.id) in path.read_text(), within_s=2)

        assert eventually(logged)


def test_access_logs_of_errors_only(mesh: Mesh) -> None:
    only = telemetry("errors", accessLogging=[{"filter": {"expression": "response.code >= 500"}}])
    failing = virtual_service(
        {
            "match": [{"uri": {"prefix": "/bad"}}],
            "fault": {"abort": {"percentage": {"value": 100}, "httpStatus": 500}},
            "route": [to()],
        },
        {"route": [to()]},
    )
    with mesh.applied(only, failing):

        def quiet() -> bool:
            good = mesh.call()
            bad = mesh.call("http://echo:8000/bad")
            return bad.status == 500 and bool(mesh.entries(bad)) and not _now(mesh, good)

        assert eventually(quiet)


def test_access_logs_switched_off(mesh: Mesh) -> None:
    with mesh.applied(telemetry("none", accessLogging=[{"disabled": True}])):

        def quiet() -> bool:
            first = mesh.call()
            probe = request("127.0.0.1", mesh.server.ports.telemetry, "/healthz")
            return probe.status == 200 and not eventually(lambda: _now(mesh, first), within_s=2.5)

        assert eventually(quiet)


def _now(mesh: Mesh, answer: Answer) -> list[dict[str, Any]]:
    with mesh.api as api:
        found: list[dict[str, Any]] = api.get("/access-logs", params={"request_id": answer.id}).json()[
            "entries"
        ]
    return found


def test_spans_are_made_unless_tracing_is_off(mesh: Mesh) -> None:
    before = call(mesh)
    assert eventually(lambda: len(spans(mesh, before)) >= 2)
    with mesh.applied(telemetry("off", tracing=[{"disableSpanReporting": True}])):
        assert eventually(lambda: "traceparent" not in call(mesh).body["headers"])
        assert len(mesh.entries(mesh.call(), 2)) == 2  # logs go on


def test_a_sampling_of_zero_traces_nothing(mesh: Mesh) -> None:
    with mesh.applied(telemetry("zero", tracing=[{"randomSamplingPercentage": 0}])):

        def unsampled() -> bool:
            return str(call(mesh).body["headers"].get("traceparent", "")).endswith("-00")

        assert eventually(unsampled)


def test_custom_tags_are_on_spans(mesh: Mesh) -> None:
    tags = {"colour": {"literal": {"value": "blue"}}, "who": {"header": {"name": "x-who"}}}
    with mesh.applied(telemetry("tags", tracing=[{"customTags": tags}])):

        def tagged() -> bool:
            answer = call(mesh, **{"x-who": "me"})
            found = eventually(lambda: spans(mesh, answer), within_s=4)
            return {("colour", "blue"), ("who", "me")} <= {
                (t["key"], t["value"]) for s in found for t in s["tags"]
            }

        assert eventually(tagged)


def test_callers_without_mutual_tls_cannot_say_who_they_are(mesh: Mesh) -> None:
    where = mesh.proxy("echo-v1")["address"]
    answer = request(where, 8000, "/", {"x-mesh-workload": "admin-v1", "x-mesh-namespace": "secret"})
    [logged] = mesh.entries(answer)
    assert answer.status == 200
    assert "admin-v1" not in str(logged)
    assert "x-mesh-workload" not in answer.body["headers"]
