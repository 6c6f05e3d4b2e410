"""A mesh for tests: server, Envoys and applications as processes, and a client inside it."""

import http.client
import json
import socket
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
    """One mesh. Use ``running``."""

    server: Server
    folder: Path
    ingress: int
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

    def line(self, port: int) -> str:
        """One line over TCP, of the client workload."""
        with socket.create_connection((self.environment["MESH_ADDRESS"], port), timeout=5) as connection:
            connection.sendall(b"hello\n")
            return connection.makefile().readline().strip()

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


def request(
    host: str, port: int, url: str, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> Answer:
    own = f"test-{uuid.uuid4().hex}"  # into a plain UUID Envoy writes its tracing decision
    connection = http.client.HTTPConnection(host, port, timeout=15)
    try:
        connection.request(method, url, headers={"x-request-id": own, **(headers or {})})
        response = connection.getresponse()
        content = response.read().decode()
    finally:
        connection.close()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, content, own)


def eventually(check: Callable[[], T]) -> T:
    """The first answer that is true; the last one after a fair time, or its error."""
    over = time.monotonic() + SOON_S
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


def service(name: str, port: int, protocol: str = "http") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": protocol, "port": port, "targetPort": port}]},
    }


def deployment(
    name: str, version: str, port: int, *options: str, labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    own = {"app": name, "version": version, **(labels or {})}
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
                "metadata": {"labels": own},
                "spec": {"serviceAccountName": name, "containers": [container]},
            },
        },
    }


def gateway(port: int) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "ingress", "namespace": "istio-system"},
        "spec": {
            "replicas": 1,
            "template": {
                "metadata": {
                    "labels": {"istio": "ingressgateway", "port": str(port)},
                    "annotations": {"inject.istio.io/templates": "gateway"},
                },
                "spec": {},
            },
        },
    }


@contextmanager
def running(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Mesh]:
    """Start a mesh of the services ``echo`` (v1, v2, v3) and ``tcp`` (v1, v2), a client and a gateway."""
    with reserve() as free:
        ingress = free.getsockname()[1]
    report = folder / "client.json"
    objects = [
        service("echo", 8000),
        *(deployment("echo", version, 8000) for version in ("v1", "v2", "v3")),
        service("tcp", 9000, "tcp"),
        *(deployment("tcp", version, 9000, "--tcp") for version in ("v1", "v2")),
        service("client", 8000),
        deployment("client", "v1", 8000, f"--report={report}"),
        gateway(ingress),
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
            mesh = Mesh(server, folder, ingress, process)
            try:
                eventually(lambda: "configuration" in (folder / "up.log").read_text())
                mesh.environment = json.loads(report.read_text())
                eventually(lambda: mesh.call().status == 200)
                yield mesh
            finally:
                process.terminate()
