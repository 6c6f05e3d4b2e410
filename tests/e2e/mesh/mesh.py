"""A mesh for tests: server, Envoys and applications as processes, and a client inside it."""

import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml

from benchmarks.serving import Server
from vigla.listen import reserve

ECHO = Path(__file__).with_name("echo.py")
SOON_S = 20.0
LOCALITIES = {"v1": "r1.z1", "v2": "r1.z2", "v3": "r2.z1"}
"""Of each version; the client is of v1."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered; ``id`` is its x-request-id."""

    status: int
    headers: Mapping[str, str]
    text: str
    id: str

    @property
    def body(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.text)
        return made

    @property
    def version(self) -> str:
        return self.headers.get("x-version", "")


@dataclass(slots=True)
class Mesh:
    """One mesh. Use ``running``.

    Attributes:
        ingress: a free port for the ingress gateway.
        secure: another one.
        egress: the port of the egress gateway's Service.
    """

    server: Server
    folder: Path
    ingress: int
    secure: int
    egress: int
    process: subprocess.Popen[bytes]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def api(self) -> httpx.Client:
        return httpx.Client(base_url=f"{self.server.query_url}/api/vigla/v1", timeout=10)

    @contextmanager
    def applied(self, *texts: str) -> Iterator[None]:
        """The configuration with these objects, while inside; proxies may still be catching up."""
        with self.api as api:
            found = api.get("/mesh/revisions", params={"limit": 1}).json()["revisions"]
            for text in texts:
                answer = api.post("/mesh/apply", content=text)
                assert answer.status_code == 200, answer.text
            try:
                yield
            finally:
                api.post(f"/mesh/revisions/{found[0]['number']}/rollback")

    def call(
        self, url: str = "http://echo:8000/", headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Answer:
        """A request of the client workload, through its Envoy."""
        where = httpx.URL(self.environment["http_proxy"])
        return request(where.host, where.port or 0, url, headers, method)

    def enter(self, path: str = "/", host: str = "echo.example.com", **headers: str) -> Answer:
        """A request through the ingress gateway."""
        return request("127.0.0.1", self.ingress, path, {"host": host, **headers})

    def line(self, port: int, host: str = "") -> str:
        """One line over TCP, of the client workload; empty: the connection was closed."""
        where = host or self.environment["MESH_ADDRESS"], port
        with socket.create_connection(where, timeout=5) as connection:
            connection.sendall(b"hello\n")
            return connection.makefile().readline().strip()

    def proxy(self, workload: str) -> dict[str, Any]:
        """What the control plane knows of a workload's Envoy."""
        return next(p for p in self.proxies() if p["workload"] == workload)

    def counters(self, workload: str, word: str) -> float:
        """The sum of an Envoy's counters with this word in their name."""
        text = httpx.get(f"http://{self.proxy(workload)['admin']}/stats", timeout=5).text
        found = (line.rpartition(": ") for line in text.splitlines() if word in line)
        return sum(float(value) for _, _, value in found if value.isdigit())

    def entries(self, answer: Answer, count: int = 1) -> list[dict[str, Any]]:
        """Access log entries of a request, once there are so many."""

        def found() -> list[dict[str, Any]]:
            with self.api as api:
                logs = api.get("/access-logs", params={"request_id": answer.id}).json()["entries"]
            return logs if len(logs) >= count else []

        return eventually(found)

    def proxies(self) -> list[dict[str, Any]]:
        with self.api as api:
            found: list[dict[str, Any]] = api.get("/mesh/proxies").json()["proxies"]
        return found


def request(  # noqa: PLR0913, PLR0917  each is one part of a request
    host: str,
    port: int,
    url: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    tls: tuple[ssl.SSLContext, str] | None = None,
) -> Answer:
    """One request over a connection of its own.

    Args:
        host: address that is connected to.
        port: of it.
        url: path, or all of it for a proxy.
        headers: beside ``x-request-id``.
        method: of HTTP.
        tls: context and server name.
    """
    own = f"test-{uuid.uuid4().hex}"  # into a plain UUID Envoy writes its tracing decision
    connection = http.client.HTTPConnection(host, port, timeout=15)
    if tls:
        plain = socket.create_connection((host, port), timeout=15)
        connection.sock = tls[0].wrap_socket(plain, server_hostname=tls[1])
    try:
        connection.request(method, url, headers={"x-request-id": own, **(headers or {})})
        response = connection.getresponse()
        content = response.read().decode()
    finally:
        connection.close()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, content, own)


def eventually(check: Callable[[], T], within_s: float = SOON_S) -> T:
    """The first answer that is true; the last one after a fair time, or its error."""
    over = time.monotonic() + within_s
    while True:
        try:
            found = check()
        except (AssertionError, OSError, http.client.HTTPException):
            if time.monotonic() > over:
                raise
        else:
            if found or time.monotonic() > over:
                return found
        time.sleep(0.05)


def service(
    name: str, port: int, protocol: str = "http", selector: Mapping[str, str] | None = None
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "istio-system" if selector else "default"},
        "spec": {
            "selector": selector or {"app": name},
            "ports": [{"name": protocol, "port": port, "targetPort": port}],
        },
    }


def deployment(name: str, version: str, port: int, *options: str) -> dict[str, Any]:
    own = {"app": name, "version": version}
    place = {"istio-locality": LOCALITIES[version]}
    container = {
        "name": name,
        "command": ["$(PYTHON)", str(ECHO), name, version, *options],
        "ports": [{"name": "tcp" if "--tcp" in options else "http", "containerPort": port}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{name}-{version}"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": own},
            "template": {
                "metadata": {"labels": {**own, **place}},
                "spec": {"serviceAccountName": name, "containers": [container]},
            },
        },
    }


def gateway(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "istio-system"},
        "spec": {
            "replicas": 1,
            "template": {
                "metadata": {
                    "labels": {"istio": f"{name}gateway"},
                    "annotations": {"inject.istio.io/templates": "gateway"},
                },
                "spec": {},
            },
        },
    }


@contextmanager
def running(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Mesh]:
    """Start a mesh of the services ``echo`` (v1, v2, v3) and ``tcp`` (v1, v2), a client and two gateways."""
    with reserve() as first, reserve() as second, reserve() as third:
        ingress, secure, egress = (s.getsockname()[1] for s in (first, second, third))
    report = folder / "client.json"
    objects = [
        service("echo", 8000),
        *(deployment("echo", version, 8000) for version in ("v1", "v2", "v3")),
        service("tcp", 9000, "tcp"),
        *(deployment("tcp", version, 9000, "--tcp") for version in ("v1", "v2")),
        service("client", 8000),
        deployment("client", "v1", 8000, f"--report={report}"),
        gateway("ingress"),
        gateway("egress"),
        service("egress", egress, "http", {"istio": "egressgateway"}),
    ]
    files = folder / "mesh"
    files.mkdir()
    (files / "mesh.yaml").write_text(yaml.safe_dump_all(objects))
    with Server(folder / "lake", {"VIGLA_MESH__ENABLED": "true", **(settings or {})}) as server:
        command = [
            sys.executable, "-m", "vigla", "mesh", "up", f"--file={files}", f"--url={server.query_url}",
            f"--pilot=127.0.0.1:{server.ports.xds}", f"--collector={server.grpc_target}",
            f"--logs={folder / 'logs'}",
        ]  # fmt: skip
        with (
            (folder / "up.log").open("wb") as log,
            subprocess.Popen(command, stdout=log, stderr=log) as process,
        ):
            mesh = Mesh(server, folder, ingress, secure, egress, process)
            try:
                eventually(lambda: "configuration" in (folder / "up.log").read_text())
                mesh.environment = json.loads(report.read_text())
                eventually(lambda: mesh.call().status == 200)
                yield mesh
            finally:
                process.terminate()
