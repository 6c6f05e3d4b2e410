"""Which Telemetry holds, and what it changes."""

import pytest

from proxy.translate.access_logs import access_loggers
from proxy.translate.metrics import changes_of, metric_loggers
from proxy.translate.peer_metadata import TELL_FILTER, Identity
from proxy.translate.plugins import Plugins
from proxy.translate.telemetry import TelemetrySettings
from proxy.translate.telemetry_plugins import MeshPlugins
from proxy.translate.tracing import tracing_of
from proxy.translate.world import Direction
from tests.proxy.translate.real_envoy import sidecar, world

SETTINGS, PROXY = TelemetrySettings(), sidecar("reviews")
IN, OUT = Direction.INBOUND, Direction.OUTBOUND
FILES = {"extensionProviders": [{"name": n, "envoyFileAccessLog": {"path": f"/{n}"}} for n in ("a", "b")]}


def telemetry(spec: str, namespace: str = "default", name: str = "t") -> str:
    return (
        "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n---\n"
    )


def logs(yaml: str = "", mesh: dict[str, object] | None = None, direction: Direction = OUT) -> list[str]:
    found = access_loggers(world(yaml, mesh), PROXY, direction, SETTINGS, http=True)
    return [log["typed_config"].get("path", log["name"].rpartition(".")[2]) for log in found]


def test_default_logs() -> None:
    assert logs() == ["http_grpc"]
    assert logs(mesh={"accessLogFile": "/f"}) == ["http_grpc", "/f"]
    assert logs(mesh={**FILES, "defaultProviders": {"accessLogging": ["a"]}}) == ["/a"]


def test_logs_of_a_namespace_and_of_a_workload() -> None:
    wide = telemetry("{accessLogging: [{providers: [{name: a}]}]}", "istio-system")
    assert logs(wide, FILES) == ["/a"]
    narrow = telemetry("{accessLogging: [{disabled: true}]}")
    assert logs(wide + narrow, FILES) == []
    own = telemetry(
        "{selector: {matchLabels: {app: reviews}}, accessLogging: [{providers: [{name: b}]}]}", name="own"
    )
    assert logs(wide + narrow + own, FILES) == ["/b"]


def test_logs_of_one_direction() -> None:
    yaml = telemetry("{accessLogging: [{match: {mode: SERVER}, disabled: true}]}")
    assert logs(yaml, direction=IN) == []
    assert logs(yaml, direction=OUT) == ["http_grpc"]


def test_a_filter_of_logs() -> None:
    yaml = telemetry("{accessLogging: [{filter: {expression: 'response.code > 1'}}]}")
    (log,) = access_loggers(world(yaml), PROXY, OUT, SETTINGS, http=True)
    assert log["filter"]["extension_filter"]["typed_config"]["expression"] == "response.code > 1"


@pytest.mark.parametrize("encoding", ["TEXT", "JSON"])
def test_format_of_the_mesh(encoding: str) -> None:
    text = '{"who": "%REQ(x-who)%"}'
    mesh = {"accessLogFile": "/f", "accessLogEncoding": encoding, "accessLogFormat": text}
    found = access_loggers(world("", mesh), PROXY, OUT, SETTINGS, http=True)[1]["typed_config"]["log_format"]
    as_text, as_json = {"text_format_source": {"inline_string": text + "\n"}}, {"who": "%REQ(x-who)%"}
    assert found == (as_text if encoding == "TEXT" else {"json_format": as_json})


def test_metrics_that_are_off_and_tags() -> None:
    wide = telemetry("{metrics: [{overrides: [{disabled: true}]}]}", "istio-system")
    assert metric_loggers(world(wide), PROXY, OUT, SETTINGS, http=True) == []
    one = telemetry(
        "{metrics: [{providers: [{name: prometheus}], overrides: [{"
        "match: {metric: REQUEST_COUNT, mode: SERVER}, "
        "disabled: false, tagOverrides: {source_app: {operation: REMOVE}, host: {value: request.host}}}]}]}"
    )
    changes = changes_of(world(wide + one), PROXY, IN)
    assert "requests_total" not in changes.off
    assert changes.tags == {"requests_total": {"source_app": None, "host": "%CEL(request.host)%"}}
    assert "requests_total" in changes_of(world(wide + one), PROXY, OUT).off
    others = telemetry("{metrics: [{providers: [{name: stackdriver}], overrides: [{disabled: true}]}]}")
    assert not changes_of(world(others), PROXY, OUT).off


def test_sampling_and_where_spans_go() -> None:
    def sampling(yaml: str = "", mesh: dict[str, object] | None = None) -> float | None:
        made = tracing_of(world(yaml, mesh), PROXY, OUT, SETTINGS)
        return None if made is None else made["random_sampling"]["value"]

    half = {"defaultConfig": {"tracing": {"sampling": 50}}}
    assert sampling() == 1
    assert sampling("", half) == 50
    assert sampling(telemetry("{tracing: [{randomSamplingPercentage: 0}]}"), half) == 0
    assert sampling(telemetry("{tracing: [{disableSpanReporting: true}]}")) is None
    assert sampling(telemetry("{tracing: [{match: {mode: SERVER}, disableSpanReporting: true}]}")) == 1
    assert sampling("", {"enableTracing": False}) is None
    assert sampling(telemetry("{tracing: [{providers: [{name: unknown}]}]}")) is None


def test_istio_tags_can_be_left_out() -> None:
    yaml = telemetry("{tracing: [{enableIstioTags: false, customTags: {a: {literal: {value: b}}}}]}")
    made = tracing_of(world(yaml), PROXY, OUT, SETTINGS)
    assert made is not None
    assert made["custom_tags"] == [{"tag": "a", "literal": {"value": "b"}}]


def test_identity() -> None:
    facts = Identity.of(sidecar("reviews")).facts
    assert facts["canonical"] == "reviews"
    assert facts["revision"] == "v1"
    assert facts["workload"] == "reviews-v1"


def test_the_plugins_are_what_listeners_are_built_with() -> None:
    plugins: Plugins = MeshPlugins()
    filters = plugins.http_filters(world(), PROXY, IN, 9080)
    assert [f["name"] for f in filters] == [
        "mesh.peer.words",
        "envoy.filters.http.header_to_metadata",
        "mesh.peer.strip",
    ]
    assert [f["name"] for f in plugins.http_filters(world(), PROXY, OUT, 9080)] == [
        "mesh.peer.words",
        TELL_FILTER,
    ]
