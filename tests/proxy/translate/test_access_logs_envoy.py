"""What the collector is told by access logs of the real Envoy."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from proxy.envoy.messages import message_class, to_json
from proxy.translate.telemetry import TelemetrySettings
from proxy.translate.telemetry_plugins import MeshPlugins
from proxy.translate.world import Direction
from tests.proxy.translate import real_envoy as mesh

ALS = "envoy.service.accesslog.v3"
POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: open}
spec: {rules: [{to: [{operation: {paths: ["/open"]}}]}]}
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: all}
spec: {tracing: [{randomSamplingPercentage: 100}]}
"""


class Collector:
    """An ALS server that keeps the entries."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.got = threading.Condition()
        message = message_class(f"{ALS}.StreamAccessLogsMessage")
        handler = grpc.stream_unary_rpc_method_handler(self._take, message.FromString)
        self._server = grpc.server(ThreadPoolExecutor(4))
        service = {"StreamAccessLogs": handler}
        name = f"{ALS}.AccessLogService"
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, service),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def _take(self, stream: Iterator[Any], _: grpc.ServicerContext) -> bytes:
        for message in stream:
            with self.got:
                self.entries += to_json(message)["http_logs"]["log_entry"]
                self.got.notify_all()
        return b""

    def wait(self, count: int) -> list[dict[str, Any]]:
        with self.got:
            assert self.got.wait_for(lambda: len(self.entries) >= count, 15)
            return self.entries

    def close(self) -> None:
        self._server.stop(0).wait()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture
def application() -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def test_who_called_whom_by_which_route_and_policy(
    tmp_path: Path, collector: Collector, application: int
) -> None:
    world, plugins = mesh.world(POLICY), MeshPlugins(TelemetrySettings())
    admin, port = mesh.free_port(), mesh.free_port()
    proxy = mesh.sidecar("reviews")
    listener = mesh.http_listener(
        port,
        "app",
        plugins.http_filters(world, proxy, Direction.INBOUND, port),
        access_log=plugins.access_logs(world, proxy, Direction.INBOUND, http=True),
        tracing=plugins.tracing(world, proxy, Direction.INBOUND),
    )
    clusters = [
        mesh.cluster("app", application),
        mesh.cluster("vigla-als", collector.port, http2=True),
        mesh.cluster("vigla-otlp", collector.port, http2=True),
    ]
    headers = {"content-type": "application/grpc", "x-mesh-workload": "productpage-v1"}
    with mesh.running(mesh.bootstrap(tmp_path / "als.json", [listener], clusters, admin), admin):
        for path in ("/open", "/closed"):
            httpx.post(f"http://127.0.0.1:{port}{path}", headers=headers, content=b"\0\0\0\0\1x", timeout=10)
        entries = collector.wait(2)
        stats = httpx.get(f"http://127.0.0.1:{admin}/stats/prometheus", timeout=10).text
    allowed, denied = (e["common_properties"]["custom_tags"] for e in entries[:2])
    assert len(allowed.pop("trace_id")) == 32
    assert allowed == {
        "reporter": "destination",
        "source_workload": "productpage-v1",
        "source_namespace": "unknown",
        "source_service": "unknown",
        "destination_workload": "reviews-v1",
        "destination_namespace": "default",
        "destination_service": mesh.HOST,
        "destination_canonical_service": "reviews",
        "destination_canonical_revision": "v1",
        "destination_cluster": "Kubernetes",
        "source_canonical_revision": "latest",
        "source_cluster": "unknown",
        "virtual_service": "/a/virtual-service/reviews",
        "rule": "http[0]",
        "policy": "ns[default]-policy[open]-rule[0]",
    }
    assert "policy" not in denied
    assert 'request_protocol="grpc"' in stats
