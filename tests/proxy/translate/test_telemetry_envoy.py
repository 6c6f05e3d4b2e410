"""The filters and loggers in the real Envoy."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from proxy.translate.metrics_tags import ORDER
from proxy.translate.telemetry import TelemetrySettings
from proxy.translate.telemetry_plugins import MeshPlugins
from proxy.translate.world import Direction, Proxy, World
from tests.proxy.translate import real_envoy as mesh

SETTINGS = TelemetrySettings(als_cluster="", otlp_cluster="")
FULL = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask}
spec:
  action: CUSTOM
  provider: {name: ask}
  rules: [{to: [{operation: {ports: ["80"]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: private}
spec:
  action: DENY
  rules:
  - to: [{operation: {paths: ["/private/{**}"]}}]
  - from: [{source: {notPrincipals: ["*/ns/default/*"], ipBlocks: [10.0.0.0/8]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: watch, annotations: {istio.io/dry-run: "true"}}
spec:
  rules: [{when: [{key: "request.auth.claims[a][b]", values: [x, "y*"]}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: note}
spec: {action: AUDIT, rules: [{}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens}
spec:
  jwtRules:
  - issuer: one
    jwksUri: https://keys.example/one
    fromHeaders: [{name: x-token, prefix: "T "}]
    fromCookies: [token]
    outputClaimToHeaders: [{header: x-sub, claim: sub}]
  - issuer: two
    audiences: [us]
    forwardOriginalToken: true
    outputPayloadToHeader: x-payload
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: all}
spec:
  tracing:
  - randomSamplingPercentage: 12.5
    customTags:
      a: {literal: {value: b}}
      c: {header: {name: x-c, defaultValue: none}}
      d: {environment: {name: D}}
      e: {formatter: {value: "%REQ(x-e)%"}}
  metrics:
  - overrides:
    - match: {metric: REQUEST_COUNT}
      tagOverrides:
        source_app: {operation: REMOVE}
        host: {value: "request.host"}
        zone: {value: "'west 100%'"}
    - match: {metric: RESPONSE_SIZE, mode: SERVER}
      disabled: true
  accessLogging:
  - providers: [{name: vigla}, {name: lines}, {name: otel-log}, {name: als}]
    filter: {expression: "response.code >= 400"}
"""
PROVIDERS = {
    "accessLogFile": "/dev/stdout",
    "extensionProviders": [
        {"name": "ask", "envoyExtAuthzGrpc": {"service": "authz.default.svc.cluster.local", "port": 9000}},
        {"name": "lines", "envoyFileAccessLog": {"path": "/dev/null", "logFormat": {"labels": {}}}},
        {"name": "otel-log", "envoyOtelAls": {"service": "otel.default.svc.cluster.local", "port": 4317}},
        {"name": "als", "envoyHttpAls": {"service": "otel.default.svc.cluster.local", "port": 4317}},
        {"name": "zip", "zipkin": {"service": "otel.default.svc.cluster.local", "port": 9411}},
        {
            "name": "otlp-http",
            "opentelemetry": {
                "service": "otel.default.svc.cluster.local",
                "port": 4318,
                "http": {"path": "/v1/traces", "headers": [{"name": "x-key", "value": "k"}]},
            },
        },
    ],
}
OTHER_CLUSTERS = (
    "vigla-als",
    "vigla-otlp",
    "outbound|9000||authz.default.svc.cluster.local",
    "outbound|4317||otel.default.svc.cluster.local",
    "outbound|4318||otel.default.svc.cluster.local",
    "outbound|9411||otel.default.svc.cluster.local",
)
TRACERS = ("vigla", "zip", "otlp-http")


def _http(plugins: MeshPlugins, world: World, direction: Direction, port: int, to: str) -> dict[str, Any]:
    proxy = _proxy(direction)
    return mesh.http_listener(
        port,
        to,
        plugins.http_filters(world, proxy, direction, port),
        access_log=plugins.access_logs(world, proxy, direction, http=True),
        tracing=plugins.tracing(world, proxy, direction),
    )


def _proxy(direction: Direction) -> Proxy:
    name = "reviews" if direction is Direction.INBOUND else "productpage"
    return mesh.sidecar(name, gateway=direction is Direction.GATEWAY)


def _tcp(plugins: MeshPlugins, world: World, direction: Direction, port: int, to: str) -> dict[str, Any]:
    proxy = _proxy(direction)
    filters = plugins.network_filters(world, proxy, direction, port)
    return mesh.tcp_listener(port, to, filters, plugins.access_logs(world, proxy, direction, http=False))


@pytest.mark.parametrize("tracer", TRACERS)
def test_envoy_takes_all_that_is_made(tmp_path: Path, tracer: str) -> None:
    world = mesh.world(FULL, {**PROVIDERS, "defaultProviders": {"tracing": [tracer]}})
    plugins = MeshPlugins()
    listeners = [_http(plugins, world, direction, 20_000 + i, "app") for i, direction in enumerate(Direction)]
    listeners += [
        _tcp(plugins, world, direction, 20_010 + i, "app")
        for i, direction in enumerate((Direction.INBOUND, Direction.OUTBOUND))
    ]
    clusters = [mesh.cluster("app", 1), *(mesh.cluster(name, 1, http2=True) for name in OTHER_CLUSTERS)]
    assert not mesh.validate(mesh.bootstrap(tmp_path / "all.json", listeners, clusters))


def test_envoy_takes_what_is_made_without_configuration(tmp_path: Path) -> None:
    world, plugins = mesh.world("", {"accessLogFile": "/dev/stdout"}), MeshPlugins()
    listeners = [_http(plugins, world, Direction.INBOUND, 20_000, "app")]
    clusters = [mesh.cluster("app", 1), *(mesh.cluster(name, 1, http2=True) for name in OTHER_CLUSTERS)]
    assert not mesh.validate(mesh.bootstrap(tmp_path / "plain.json", listeners, clusters))


@dataclass
class Upstream:
    """What the application got."""

    headers: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def upstream() -> Iterator[tuple[int, Upstream]]:
    seen = Upstream()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.headers.append({k.lower(): v for k, v in self.headers.items()})
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], seen
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass(frozen=True)
class Mesh:
    """Two sidecars in one Envoy: productpage calls reviews."""

    admin: int
    http: int
    tcp: int

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.http}{path}", headers=headers or {}, timeout=10)

    def series(self, name: str) -> list[dict[str, str]]:
        """The labels and the value of each series of a metric, the destination's first."""
        text = httpx.get(f"http://127.0.0.1:{self.admin}/stats/prometheus", timeout=10).text
        made = []
        for labels, value in re.findall(rf"^envoy_istio_{name}{{(.*)}} (\S+)$", text, re.MULTILINE):
            made.append({**dict(re.findall(r'(\w+)="([^"]*)"', labels)), "value": value})
        return sorted(made, key=lambda s: s["reporter"])


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _start(tmp_path: Path, port: int, world: World) -> tuple[Path, Mesh]:
    plugins = MeshPlugins(SETTINGS)
    admin, http, tcp, server, tcp_server = (mesh.free_port() for _ in range(5))
    listeners = [
        _http(plugins, world, Direction.OUTBOUND, http, "outbound"),
        _http(plugins, world, Direction.INBOUND, server, "inbound"),
        _tcp(plugins, world, Direction.OUTBOUND, tcp, "tcp-outbound"),
        _tcp(plugins, world, Direction.INBOUND, tcp_server, "inbound"),
    ]
    ports = {"outbound": server, "inbound": port, "tcp-outbound": tcp_server}
    clusters = [mesh.cluster(name, to) for name, to in ports.items()]
    path = mesh.bootstrap(tmp_path / "mesh.json", listeners, clusters, admin)
    return path, Mesh(admin, http, tcp)


def test_requests_are_counted_by_both_sides(tmp_path: Path, upstream: tuple[int, Upstream]) -> None:
    path, running = _start(tmp_path, upstream[0], mesh.world())
    with mesh.running(path, running.admin):
        for _ in range(3):
            assert running.get("/", {"host": "reviews", "x-mesh-workload": "forged"}).text == "ok"
        _wait(lambda: len(running.series("requests_total")) == 2)
        destination, source = running.series("requests_total")
        _wait(
            lambda: [d["value"] for d in running.series("request_duration_milliseconds_count")] == ["3"] * 2
        )
    common = {
        "source_workload": "productpage-v1",
        "source_canonical_service": "productpage",
        "source_canonical_revision": "v1",
        "source_workload_namespace": "default",
        "source_principal": "unknown",
        "source_app": "productpage",
        "source_version": "v1",
        "source_cluster": "Kubernetes",
        "destination_workload": "reviews-v1",
        "destination_workload_namespace": "default",
        "destination_principal": "unknown",
        "destination_app": "reviews",
        "destination_version": "v1",
        "destination_service": mesh.HOST,
        "destination_canonical_service": "reviews",
        "destination_canonical_revision": "v1",
        "destination_service_name": "reviews",
        "destination_service_namespace": "default",
        "destination_cluster": "Kubernetes",
        "request_protocol": "http",
        "response_code": "200",
        "response_flags": "-",
        "value": "3",
    }
    assert source == {**common, "reporter": "source", "connection_security_policy": "unknown"} | _grpc(source)
    assert destination == {
        **common,
        "reporter": "destination",
        "connection_security_policy": "none",
    } | _grpc(destination)
    assert set(source) - {"value"} == set(ORDER)
    assert not [
        name for h in upstream[1].headers for name in h if name.startswith(("x-mesh", "x-envoy-peer"))
    ]


def _grpc(series: dict[str, str]) -> dict[str, str]:
    assert series["grpc_response_status"] == ""
    return {"grpc_response_status": ""}


def test_a_denied_request(tmp_path: Path, upstream: tuple[int, Upstream]) -> None:
    policy = FULL.split("---")[1].replace("ipBlocks: [10.0.0.0/8]", "ipBlocks: [10.9.9.9]")
    path, running = _start(tmp_path, upstream[0], mesh.world(policy))
    with mesh.running(path, running.admin):
        assert running.get("/private/a").status_code == httpx.codes.FORBIDDEN
        assert running.get("/public").status_code == httpx.codes.OK
        _wait(lambda: len(running.series("requests_total")) == 4)
        codes = {(s["reporter"], s["response_code"]) for s in running.series("requests_total")}
    assert codes == {(r, c) for r in ("source", "destination") for c in ("200", "403")}


def test_connections_are_counted_when_they_end(tmp_path: Path, upstream: tuple[int, Upstream]) -> None:
    path, running = _start(tmp_path, upstream[0], mesh.world())
    with mesh.running(path, running.admin):
        with socket.create_connection(("127.0.0.1", running.tcp), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while connection.recv(4096):
                pass
        _wait(lambda: len(running.series("tcp_sent_bytes_total")) == 2)
        opened, closed = (running.series(f"tcp_connections_{w}_total") for w in ("opened", "closed"))
        received = running.series("tcp_received_bytes_total")
    assert [s["value"] for s in opened] == [s["value"] for s in closed] == ["1", "1"]
    assert [s["value"] for s in received] == ["18", "18"]
    assert opened[1]["destination_workload"] == "reviews-v1"
    assert opened[0]["destination_service"] == mesh.HOST
    assert {s["request_protocol"] for s in opened} == {"tcp"}


def test_a_token_that_cannot_be_checked_is_refused(tmp_path: Path, upstream: tuple[int, Upstream]) -> None:
    world = mesh.world(
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: tokens}\n"
        "spec: {jwtRules: [{issuer: one, jwksUri: 'https://keys.example/one'}, {issuer: two, jwks: '{}'}]}"
    )
    path, running = _start(tmp_path, upstream[0], world)
    # {"alg":"HS256"}.{"iss":"one"}.
    token = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJvbmUifQ.AAAA"
    with mesh.running(path, running.admin):
        assert running.get("/").status_code == httpx.codes.OK
        refused = running.get("/", {"authorization": f"Bearer {token}"})
    assert refused.status_code == httpx.codes.UNAUTHORIZED
