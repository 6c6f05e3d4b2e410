"""Applications that know no proxy, each in a network namespace with an Envoy that the kernel redirects to."""

import json
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from benchmarks.serving import Server
from tests.e2e.mesh.mesh import ECHO, eventually
from tests.e2e.mesh.namespaces import Namespace, namespaces, need_namespaces, run
from tests.e2e.mesh.objects import security, virtual_service
from vigla.listen import reserve

VIP = "10.96.7.7"
HTTP, TCP, BYPASSED = 8000, 9000, 8500
SERVICES = [
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "selector": {"app": name},
            "clusterIP": address,
            "ports": [
                {"name": "http", "port": HTTP, "targetPort": "web"},
                {"name": "tcp", "port": TCP, "targetPort": TCP},
            ],
        },
    }
    for name, address in (("echo", VIP), ("client", "10.96.7.8"))
]
STRICT = security("PeerAuthentication", "default", mtls={"mode": "STRICT"})


@dataclass(frozen=True, slots=True)
class Captured:
    """The server and two workloads, ``client`` and ``echo``."""

    url: str
    client: Namespace
    echo: Namespace
    outside: Namespace

    def apply(self, *texts: str) -> None:
        for text in texts:
            answer = httpx.post(f"{self.url}/api/vigla/v1/mesh/apply", content=text)
            assert answer.status_code == 200, answer.text

    def entries(self, request_id: str, count: int) -> list[dict[str, Any]]:
        def found() -> list[dict[str, Any]]:
            answer = httpx.get(f"{self.url}/api/vigla/v1/access-logs", params={"request_id": request_id})
            logs: list[dict[str, Any]] = answer.json()["entries"]
            return logs if len(logs) >= count else []

        return eventually(found)


@dataclass(frozen=True, slots=True)
class Said:
    """What curl got; status 0: no answer."""

    status: int
    body: dict[str, Any]
    headers: dict[str, list[str]]
    id: str


def curl(where: Namespace, url: str, *options: str) -> Said:
    """A plain request of a workload that knows no proxy."""
    own = f"test-{uuid.uuid4().hex}"
    done = where.run(
        "curl", "--silent", "--max-time", "10", "--resolve", f"echo:{HTTP}:{VIP}",
        "--header", f"x-request-id: {own}",
        "--write-out", "\n@@%{http_code}\n%{header_json}", *options, url, check=False,
    )  # fmt: skip
    text, _, rest = done.stdout.rpartition("\n@@")
    status, _, headers = rest.partition("\n")
    body = json.loads(text) if text.startswith("{") else {}
    return Said(int(status), body, json.loads(headers), own)


def init(where: Namespace, *options: str) -> None:
    where.run(sys.executable, "-m", "vigla", "mesh", "init", *options)


@contextmanager
def process(log: Path, command: list[str], **environment: str) -> Iterator[None]:
    with log.open("wb") as output:
        variables = (f"{k}={v}" for k, v in environment.items())
        child = subprocess.Popen(["env", *variables, *command], stdout=output, stderr=output)
        try:
            yield
        finally:
            child.terminate()
            child.wait(30)


def workload(stack: ExitStack, folder: Path, where: Namespace, name: str, *options: str) -> None:
    """An application on all addresses, its agent, and capture."""
    for port, kind in ((HTTP, ()), (BYPASSED, ()), (TCP, ("--tcp",))):
        command = where.command(sys.executable, str(ECHO), name, "v1", *kind)
        log = folder / f"{name}.{port}.log"
        stack.enter_context(process(log, command, HOST="0.0.0.0", PORT=str(port)))
    agent = where.command(
        sys.executable, "-m", "vigla", "mesh", "agent", f"--name={name}-0", f"--label=app={name}",
        f"--service-account={name}", f"--port=web:{HTTP}", f"--logs={folder / name}", *options,
    )  # fmt: skip
    log = folder / f"{name}.agent.log"
    stack.enter_context(process(log, agent))
    eventually(lambda: "configuration" in log.read_text())
    assert "configuration" in log.read_text(), log.read_text() + (folder / name / "envoy.log").read_text()
    init(where, f"--exclude-inbound-ports={BYPASSED}", f"--exclude-outbound-ports={BYPASSED}")


@pytest.fixture(scope="module")
def captured() -> Iterator[Captured]:
    need_namespaces()
    with ExitStack() as stack:
        # pytest's own folders are closed to other users, and Envoy is one.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vigla-capture-")))
        folder.chmod(0o755)
        host, made = stack.enter_context(namespaces("client", "echo", "outside"))
        with reserve(host) as free:
            port = free.getsockname()[1]
        environment = {
            "VIGLA_MESH__ENABLED": "true",
            "VIGLA_MESH__TLS_HOST": host,
            "VIGLA_MESH__TLS_PORT": str(port),
            "VIGLA_COLLECTOR__HOST": host,
        }
        server = stack.enter_context(Server(folder / "lake", environment))
        pilot = f"{host}:{port}"
        collector = f"{host}:{server.ports.otlp_grpc}"
        found = Captured(server.query_url, made["client"], made["echo"], made["outside"])
        found.apply(yaml.safe_dump_all(SERVICES), STRICT)
        for name in ("echo", "client"):
            identity = folder / f"{name}.identity"
            data = f"--storage-path={server.directory}"
            run(sys.executable, "-m", "vigla", "mesh", "identity", "default", name, f"--out={identity}", data)
            options = (f"--pilot={pilot}", f"--collector={collector}", f"--identity={identity}")
            workload(stack, folder, made[name], name, *options)
        eventually(lambda: curl(found.client, f"http://echo:{HTTP}/").status == 200)
        yield found


def test_a_plain_call_goes_through_both_envoys_with_mutual_tls(captured: Captured) -> None:
    said = curl(captured.client, f"http://echo:{HTTP}/")
    assert said.status == 200
    assert said.body["name"] == "echo"
    assert said.headers["server"] == ["envoy"]
    assert "spiffe://cluster.local/ns/default/sa/client" in json.dumps(said.body["headers"])
    entries = captured.entries(said.id, 2)
    assert {entry["reporter"] for entry in entries} == {"source", "destination"}, entries


def test_strict_mutual_tls_refuses_who_has_no_sidecar(captured: Captured) -> None:
    assert curl(captured.outside, f"http://{captured.echo.address}:{HTTP}/").status == 0


def test_routes_apply_to_who_knows_no_proxy(captured: Captured) -> None:
    match = [{"headers": {"x-who": {"exact": "me"}}}]
    abort = {"abort": {"httpStatus": 418, "percentage": {"value": 100}}}
    route = [{"destination": {"host": "echo", "port": {"number": HTTP}}}]
    captured.apply(virtual_service({"match": match, "fault": abort, "route": route}, {"route": route}))

    def status() -> int:
        return curl(captured.client, f"http://echo:{HTTP}/", "-H", "x-who: me").status

    eventually(lambda: status() == 418)
    assert status() == 418
    assert curl(captured.client, f"http://echo:{HTTP}/").status == 200


def test_tcp_is_captured_too(captured: Captured) -> None:
    script = (
        f"import socket; c = socket.create_connection(('{VIP}', {TCP}), 10); "
        "c.sendall(b'hello\\n'); print(c.makefile().readline())"
    )
    assert captured.client.run(sys.executable, "-c", script).stdout.strip() == "v1"


def test_a_workload_that_calls_its_own_service_comes_back_through_its_sidecar(captured: Captured) -> None:
    said = curl(captured.echo, f"http://{VIP}:{HTTP}/", "-H", "host: echo")
    assert said.status == 200
    assert {entry["reporter"] for entry in captured.entries(said.id, 2)} == {"source", "destination"}


def test_excluded_ports_bypass_the_sidecar(captured: Captured) -> None:
    for caller in (captured.client, captured.outside):
        said = curl(caller, f"http://{captured.echo.address}:{BYPASSED}/")
        assert said.status == 200
        assert "envoy" not in json.dumps(said.headers)


def test_the_sidecar_can_be_asked_from_outside_and_does_not_loop(captured: Captured) -> None:
    assert curl(captured.outside, f"http://{captured.echo.address}:15021/healthz/ready").status == 200
    assert curl(captured.outside, f"http://{captured.echo.address}:15020/stats/prometheus").status == 200
    assert curl(captured.client, f"http://{captured.echo.address}:15001/").status != 200
    assert curl(captured.echo, f"http://{captured.echo.address}:{HTTP}/").status == 200


def test_an_address_that_nobody_declared_is_passed_through(captured: Captured) -> None:
    said = curl(captured.client, f"http://{captured.outside.address}:7/")
    assert said.status in (0, 503)
    with process(
        Path("/dev/null"),
        captured.outside.command(sys.executable, str(ECHO), "outside", "v1"),
        HOST="0.0.0.0",
        PORT="7700",
    ):
        url = f"http://{captured.outside.address}:7700/"
        assert eventually(lambda: curl(captured.client, url).status == 200)


def test_envoy_runs_as_the_user_that_capture_leaves_alone(captured: Captured) -> None:
    pids = run("ip", "netns", "pids", captured.echo.name).stdout.split()
    users = {
        Path(f"/proc/{pid}/comm").read_text().strip(): Path(f"/proc/{pid}").stat().st_uid for pid in pids
    }
    assert users["envoy"] == 1337


def test_repeating_changes_nothing_and_cleaning_leaves_nothing(captured: Captured) -> None:
    where = captured.outside
    init(where)
    before = where.run("nft", "list", "ruleset").stdout
    init(where)
    assert where.run("nft", "list", "ruleset").stdout == before
    assert where.tables() == ["vigla_capture"]
    init(where, "--clean")
    assert where.tables() == []
    init(where, "--clean")
    assert where.run("nft", "list", "ruleset").stdout == ""


def test_without_net_admin_the_error_says_what_to_do(captured: Captured) -> None:
    command = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", sys.executable]
    done = captured.outside.run(*command, "-m", "vigla", "mesh", "init", check=False)
    assert done.returncode == 2
    assert "NET_ADMIN" in done.stderr
