"""Limits, ejections, and what dies and comes back."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.e2e.mesh.mesh import Answer, Mesh, eventually
from tests.e2e.mesh.objects import destination_rule, networking, to, virtual_service


def test_an_overflowing_connection_pool_answers_503_uo(mesh: Mesh) -> None:
    pool = {"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}}
    with mesh.applied(
        destination_rule(connectionPool=pool),
        virtual_service({"route": [to("v1")], "retries": {"attempts": 0}}),
    ):

        def overflown() -> bool:
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda _: mesh.call(headers={"x-delay": "0.3"}), range(8)))
            refused = [a for a in answers if a.status == 503]
            return bool(refused) and "UO" in mesh.entries(refused[0])[0]["flags"]

        assert eventually(overflown)


def test_a_failing_endpoint_is_ejected_and_returns(mesh: Mesh) -> None:
    outlier = {
        "consecutive5xxErrors": 2,
        "interval": "0.2s",
        "baseEjectionTime": "1s",
        "maxEjectionPercent": 100,
    }
    rule = destination_rule(outlierDetection=outlier)
    route = virtual_service({"route": [to("v1")], "retries": {"attempts": 0}})
    with mesh.applied(rule, route):

        def ejected() -> bool:
            key = f"bad-{time.monotonic_ns()}"
            statuses = [mesh.call(headers={"x-key": key, "x-fail": "1000"}) for _ in range(6)]
            last = statuses[-1]
            return last.status == 503 and "x-version" not in last.headers  # Envoy's own answer

        assert eventually(ejected)
        assert eventually(lambda: mesh.call().version == "v1")


def test_a_killed_envoy_comes_back(mesh: Mesh) -> None:
    victim = next(p for p in mesh.proxies() if p["workload"] == "echo-v1")
    with mesh.applied(destination_rule(), virtual_service({"route": [to("v1")]})):
        eventually(lambda: mesh.call().version == "v1")
        os.kill(_pid(victim["admin"]), signal.SIGKILL)
        assert eventually(lambda: mesh.call().version == "v1")
        status = httpx.get(f"http://{victim['address']}:15020/stats/prometheus", timeout=5).text
        assert "starts" in status


def _pid(admin: str) -> int:
    """Process of the Envoy that has this admin port."""
    options = httpx.get(f"http://{admin}/server_info", timeout=5).json()["command_line_options"]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if options["config_path"] in words and words[0].endswith("envoy"):
            return int(folder.name)
    raise AssertionError(f"no Envoy has {options['config_path']}")


def test_traffic_goes_on_without_the_control_plane_which_comes_back(mesh: Mesh) -> None:
    with mesh.applied(destination_rule(), virtual_service({"route": [to("v1")]})):
        eventually(lambda: mesh.call().version == "v1")
        ports = mesh.server.ports
        mesh.server.kill()
        assert [mesh.call().status for _ in range(20)] == [200] * 20
        mesh.server.restart(ports)
    with mesh.applied(destination_rule(), virtual_service({"route": [to("v2")]})):
        assert eventually(lambda: {mesh.call().version for _ in range(5)} == {"v2"})


def test_changes_under_load_fail_no_request(mesh: Mesh) -> None:
    answers: list[Answer] = []
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            answers.append(mesh.call())

    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(load) for _ in range(4)]
        for version in ("v1", "v2", "v3", "v1", "v2"):
            with mesh.applied(destination_rule(), virtual_service({"route": [to(version)]})):
                eventually(lambda version=version: mesh.call().version == version)  # type: ignore[misc]
        stop.set()
        for client in clients:
            client.result()
    failed = [answer for answer in answers if answer.status != 200]
    assert not failed, [(answer, mesh.entries(answer)) for answer in failed[:3]]
    assert len(answers) > 100


def test_a_refused_configuration_is_shown_and_the_old_one_stays(mesh: Mesh) -> None:
    taken = mesh.server.ports.query
    port = {"number": taken, "name": "http", "protocol": "HTTP"}
    gate = networking(
        "Gateway", "taken", selector={"istio": "ingressgateway"}, servers=[{"port": port, "hosts": ["*"]}]
    )
    with mesh.applied(gate):

        def refused() -> str:
            return "".join(p["types"]["lds"]["error"] for p in mesh.proxies() if p["workload"] == "ingress")

        assert "in use" in eventually(refused)
        assert mesh.call().status == 200
