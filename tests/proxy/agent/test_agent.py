"""The agent and a real Envoy: readiness, metrics, restarts, draining, ports that are taken."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from proxy.agent.agent import Agent
from proxy.agent.group import AgentGroup
from proxy.agent.settings import Ports
from tests.proxy.agent.mesh import SOON_S, agent_settings, free_port, parsed, proxied, until
from vigla.errors import EnvoyNotReady, SettingsError

STARTS, RUNNING = "mesh_agent_envoy_starts_total", "mesh_agent_envoy_running"


def runs(pid: int | None) -> bool:
    return Path(f"/proc/{pid}").exists()


def logs(folder: Path) -> list[Path]:
    return sorted(folder.glob("envoy.log*"))


async def test_readiness_is_told_by_envoys_listener_and_by_the_agent(tmp_path: Path):
    async with proxied(tmp_path) as made:
        for url in (made.ready_url, f"{made.status_url}/healthz/ready"):
            answer = await made.client.get(url)
            assert (answer.status_code, answer.text) == (200, "ready")
        assert (await made.client.get(made.url)).text == "hello"


async def test_without_a_control_plane_it_is_not_ready_and_says_what_is_missing(tmp_path: Path):
    agent = Agent(agent_settings(tmp_path, free_port()))
    await agent.start()
    try:
        await until(lambda: agent.pid)
        with pytest.raises(EnvoyNotReady, match=r"web-1.default: .*no clusters \(cds\) accepted yet"):
            await agent.ready(3.0)
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{agent.ports.status}/healthz/ready")
        assert answer.status_code == 503
        assert "no listeners (lds) accepted yet" in answer.text
    finally:
        await agent.stop()


async def test_metrics_of_envoy_agent_and_application_are_one_page(tmp_path: Path):
    async with proxied(tmp_path, app_metrics="http://127.0.0.1:{app}/metrics") as made:
        made.app.metrics = '# TYPE orders counter\norders{shop="a b"} 7\n# EOF\n'
        answer = await made.client.get(f"{made.status_url}/stats/prometheus")
        found = parsed(answer.text)

        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "# EOF" not in answer.text
        assert found['orders{shop="a b"}'] == 7
        assert found[STARTS] == found[RUNNING] == 1
        assert any(series.startswith("envoy_server_live") for series in found)


async def test_an_application_that_is_down_takes_only_its_own_metrics_along(tmp_path: Path):
    async with proxied(tmp_path, app_metrics=f"http://127.0.0.1:{free_port()}/metrics") as made:
        await made.samples()
        found = await made.samples()

        assert found['mesh_agent_scrape_failures_total{source="app"}'] >= 1
        assert any(series.startswith("envoy_server_live") for series in found)


async def test_a_killed_envoy_comes_back_and_is_counted(tmp_path: Path):
    async with proxied(tmp_path) as made:
        for number in (1, 2):
            pid = made.agent.pid
            assert pid
            os.kill(pid, signal.SIGKILL)
            await until(lambda n=number: made.agent.restarts == n and made.agent.pid)
            await made.agent.ready(SOON_S)
            assert made.agent.pid != pid
        found = await made.samples()

        assert found['mesh_agent_envoy_exits_total{status="-9"}'] == 2
        assert (found[STARTS], found[RUNNING]) == (3, 1)
        assert (await made.client.get(made.url)).text == "hello"


async def test_an_envoy_that_cannot_start_is_tried_ever_more_seldom(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = Ports(admin=taken.getsockname()[1], status=0, ready=0)
        settings = agent_settings(tmp_path, free_port(), ports=ports, backoff_s=0.1, max_backoff_s=0.3)
        agent = Agent(settings)
        await agent.start()
        try:
            await until(lambda: agent.restarts == 3)
        finally:
            await agent.stop()
    waits = [r.args[2] for r in caplog.records if "back in" in r.msg and isinstance(r.args, tuple)]

    assert waits[:3] == [0.1, 0.2, 0.3]
    assert agent.pid is None


async def test_a_port_that_is_taken_is_named_and_used_once_it_is_free(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        agent = Agent(agent_settings(tmp_path, free_port(), ports=Ports(admin=port, status=0, ready=0)))
        await agent.start()
        with pytest.raises(EnvoyNotReady) as failed:
            await agent.ready(3.0)
        assert "Address already in use" in str(failed.value)
        assert str(port) in str(failed.value)
    try:
        await until(lambda: agent.pid)
        async with asyncio.timeout(SOON_S), httpx.AsyncClient() as client:
            while True:
                try:
                    await client.get(f"http://127.0.0.1:{port}/ready")
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
                else:
                    break
    finally:
        await agent.stop()


async def test_a_taken_status_port_is_an_error_at_the_start(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = Ports(admin=0, status=taken.getsockname()[1], ready=0)
        group = AgentGroup([agent_settings(tmp_path, free_port(), ports=ports)])
        with pytest.raises(SettingsError, match="the agent's status port"):
            await group.start()


async def test_connections_are_those_of_the_mesh_alone(tmp_path: Path):
    async with proxied(tmp_path) as made:
        await made.client.get(made.ready_url)  # the client keeps its connection
        assert await made.agent.admin.connections() == 0

        await made.client.get(made.url)
        assert await made.agent.admin.connections() == 1


async def test_a_request_under_way_ends_before_envoy_does(tmp_path: Path):
    async with proxied(tmp_path, termination_drain_s=20.0) as made:
        pid = made.agent.pid
        assert pid
        slow = asyncio.create_task(made.client.get(f"{made.url}/slow"))
        await made.app.arrived.wait()
        stopping = asyncio.create_task(made.agent.stop())
        await asyncio.sleep(0.5)
        assert made.agent.pid == pid
        made.app.release.set()

        answer = await slow
        await stopping
        assert (answer.status_code, answer.text) == (200, "hello")
        assert not runs(pid)


async def test_who_drains_too_long_is_ended(tmp_path: Path):
    async with proxied(tmp_path, termination_drain_s=0.3) as made:
        pid = made.agent.pid
        slow = asyncio.create_task(made.client.get(f"{made.url}/slow"))
        await made.app.arrived.wait()
        await made.agent.stop()

        assert not runs(pid)
        with pytest.raises(httpx.HTTPError):
            await slow


async def test_the_log_is_private_and_does_not_grow_without_end(tmp_path: Path):
    async with proxied(tmp_path, log_level="debug", log_bytes=20_000) as made:
        for _ in range(20):
            await made.client.get(made.url)

    files = logs(tmp_path)
    assert [f.name for f in files] == ["envoy.log", "envoy.log.1"]
    assert all(f.stat().st_mode & 0o077 == 0 for f in files)
    assert all(f.stat().st_size <= 20_000 + 65_536 for f in files)
