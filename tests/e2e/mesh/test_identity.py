"""Certificates over time, and proxies that join with one."""

import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from benchmarks.serving import Server
from proxy.agent.agent import Agent
from proxy.agent.settings import FREE_PORTS, Address, AgentSettings, XdsTls
from tests.e2e.mesh.mesh import Mesh, eventually, running
from tests.e2e.mesh.objects import security
from vigla.errors import EnvoyNotReady
from vigla.listen import reserve

LIFETIME_S = 8.0
ROTATIONS = 3


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    settings = {"VIGLA_MESH__CERTIFICATE_HOURS": str(LIFETIME_S / 3600)}
    with running(tmp_path_factory.mktemp("rotation"), settings) as made:
        yield made


def serials(mesh: Mesh) -> dict[str, str]:
    """Serial number of the certificate that each sidecar's Envoy uses, by instance."""
    found = {}
    for proxy in mesh.proxies():
        if proxy["type"] == "sidecar":
            said = httpx.get(f"http://{proxy['admin']}/certs", timeout=5).json()["certificates"]
            chains = [c["cert_chain"][0] for c in said if c.get("cert_chain")]
            own = (c for c in chains if any("uri" in name for name in c["subject_alt_names"]))
            found[proxy["instance"]] = max(c["serial_number"] for c in own)
    return found


def plain(host: str, port: int) -> bool:
    """Whether a connection without TLS is answered."""
    with socket.create_connection((host, port), timeout=5) as line:
        try:
            line.sendall(b"hello\n")
            return bool(line.recv(100))
        except OSError:
            return False


def test_certificates_are_renewed_under_load_and_no_request_fails(mesh: Mesh) -> None:
    statuses: Counter[int] = Counter()
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            statuses[mesh.call().status] += 1

    with mesh.applied(security("PeerAuthentication", "strict", mtls={"mode": "STRICT"})):
        assert eventually(
            lambda: not any(plain(p["address"], 9000) for p in mesh.proxies() if "tcp" in p["workload"])
        )
        assert mesh.call().status == 200
        seen = [serials(mesh)]
        where = mesh.environment["MESH_ADDRESS"], 9000
        with socket.create_connection(where, timeout=5) as line, ThreadPoolExecutor(4) as pool:
            answers = line.makefile("r")
            clients = [pool.submit(load) for _ in range(4)]
            versions = set()
            try:
                over = time.monotonic() + LIFETIME_S * (ROTATIONS + 2)
                while len(seen) <= ROTATIONS and time.monotonic() < over:
                    time.sleep(0.1)
                    line.sendall(b"hello\n")
                    versions.add(answers.readline().strip())
                    now = serials(mesh)
                    if all(now[name] != serial for name, serial in seen[-1].items()):
                        seen.append(now)
            finally:
                stop.set()
            for client in clients:
                client.result()
    assert len(seen) > ROTATIONS, "every Envoy uses another certificate"
    assert set(statuses) == {200}
    assert statuses[200] > 100
    assert len(versions) == 1, "a connection over TCP lasts over all renewals"
    assert "" not in versions


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int]]:
    """A control plane that serves proxies of other machines, and the port for them."""
    with reserve() as free:
        port = free.getsockname()[1]
    settings = {
        "VIGLA_MESH__ENABLED": "true",
        "VIGLA_MESH__TLS_HOST": "127.0.0.1",
        "VIGLA_MESH__TLS_PORT": str(port),
    }
    with Server(tmp_path_factory.mktemp("tls") / "lake", settings) as made:
        yield made, port


def joined(server: tuple[Server, int], folder: Path, account: str) -> Agent:
    """An agent as another machine has it: nothing but an address and the files of its identity."""
    running_server, port = server
    command = ["mesh", "identity", "shop", account, f"--out={folder}"]
    data = f"--storage-path={running_server.directory}"
    subprocess.run([sys.executable, "-m", "vigla", *command, data], check=True, capture_output=True)
    return Agent(
        AgentSettings(
            node_id="sidecar~127.0.0.1~web-0.shop~shop.svc.cluster.local",
            cluster="web.shop",
            folder=folder / "envoy",
            xds=Address("127.0.0.1", port),
            metadata={"SERVICE_ACCOUNT": "web", "INTERCEPTION_MODE": "NONE"},
            xds_tls=XdsTls.of(folder),
            ports=FREE_PORTS,
        )
    )


@pytest.mark.asyncio
async def test_an_envoy_joins_over_mutual_tls(server: tuple[Server, int], tmp_path: Path) -> None:
    agent = joined(server, tmp_path, "web")
    await agent.start()
    try:
        await agent.ready()
    finally:
        await agent.stop()


@pytest.mark.asyncio
async def test_an_envoy_with_the_certificate_of_another_gets_nothing(
    server: tuple[Server, int], tmp_path: Path
) -> None:
    agent = joined(server, tmp_path, "other")
    await agent.start()
    try:
        with pytest.raises(EnvoyNotReady):
            await agent.ready(5)
        assert "sa/other" in (tmp_path / "envoy" / "envoy.log").read_text()
    finally:
        await agent.stop()
