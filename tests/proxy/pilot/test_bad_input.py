"""Mistakes of users: each has a clear message, and leaves the mesh as it was."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from proxy.agent.agent import Agent
from proxy.agent.settings import FREE_PORTS, Address, AgentSettings
from proxy.xds.resources import CDS
from tests.proxy.agent.mesh import SOON_S, free_port
from tests.proxy.pilot.mesh import ROOT, Mesh, gateway, routes, running, service
from tests.proxy.xds.plane import names
from vigla.errors import EnvoyNotReady, SettingsError

GATEWAY_NODE = "router~127.0.0.1~edge-1.default~default.svc.cluster.local"
SUBSETS = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets: [{name: v1, labels: {version: v1}}]
---
"""
MESH = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: istio, namespace: istio-system}}
data:
  mesh: "{0}"
---
"""


async def unharmed(mesh: Mesh) -> None:
    """A proxy gets what was there, and changes still go through."""
    async with mesh.proxy() as proxy:
        await proxy.send(CDS)
        assert "outbound|9080||reviews.default.svc.cluster.local" in names(await proxy.take())
        await mesh.apply(service("later"))
        while "outbound|9080||later.default.svc.cluster.local" not in names(await proxy.take()):
            pass


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("kind: [unclosed", "not YAML", 1),
        ("a: b\n  c: d\n", "not YAML", 2),
        ("a: &a [*a]\n", "YAML", 1),
        ("- 1\n- 2\n", "it needs apiVersion, kind and metadata", 1),
        ("just a sentence", "it needs apiVersion, kind and metadata", 1),
    ],
)
async def test_yaml_that_does_not_parse(mesh: Mesh, text: str, said: str, line: int):
    await mesh.apply(service())
    (problem,) = await mesh.refused(text)

    assert said in problem["message"]
    assert problem["line"] in {0, line}
    await unharmed(mesh)


async def test_unknown_fields(mesh: Mesh):
    await mesh.apply(service() + routes())
    (problem,) = await mesh.refused(routes().replace("timeout", "timeuot"))

    assert problem["field"] == "spec.http[0].timeuot"
    await unharmed(mesh)


async def test_unknown_kinds(mesh: Mesh):
    await mesh.apply(service())
    (problem,) = await mesh.refused(routes().replace("VirtualService", "VirtualServise"))

    assert "unknown kind VirtualServise" in problem["message"]
    assert "VirtualService" in problem["message"].partition("known:")[2]
    await unharmed(mesh)


async def test_two_virtual_services_for_one_host(mesh: Mesh):
    await mesh.apply(service() + routes() + routes("more", timeout="9s"))
    found = await mesh.findings("IST0109")

    assert found
    assert all("reviews" in f["text"] and "merge them" in f["text"] for f in found)
    await unharmed(mesh)


async def test_a_subset_that_nobody_defines(mesh: Mesh):
    text = routes().replace("{host: reviews}", "{host: reviews, subset: v9}")
    await mesh.apply(service() + SUBSETS + text)
    (found,) = await mesh.findings("IST0101")

    assert "v9" in found["text"]
    assert found["path"].startswith("spec.http[0].route[0].destination") or found["line"]
    await unharmed(mesh)


@pytest.mark.parametrize(
    ("weights", "said"), [((0, 0), "must not all be 0"), ((-1, 101), ""), (("half", 50), "")]
)
async def test_weights_without_sense(mesh: Mesh, weights: tuple[Any, Any], said: str):
    await mesh.apply(service() + routes())
    one, two = (f"    - {{destination: {{host: reviews}}, weight: {w}}}\n" for w in weights)
    text = routes().replace("    - destination: {host: reviews}\n", one + two)
    (problem,) = await mesh.refused(text)

    assert problem["field"].startswith("spec.http[0].route")
    assert said in problem["message"]
    await unharmed(mesh)


async def test_a_gateway_port_that_is_taken(mesh: Mesh, tmp_path: Path):
    good = free_port()
    await mesh.apply(service() + gateway(good))
    settings = AgentSettings(
        GATEWAY_NODE,
        "edge.default",
        tmp_path / "edge",
        Address("127.0.0.1", mesh.pilot.port),
        metadata={"LABELS": {"istio": "ingressgateway"}, "NAMESPACE": "default"},
        ports=FREE_PORTS,
        drain_s=1,
    )
    agent = Agent(settings)
    await agent.start()
    try:
        await agent.ready(SOON_S)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            await mesh.apply(gateway(port, "taken"))
            error = await _refusal(mesh)
            assert str(port) in error
            assert "Address already in use" in error
            async with httpx.AsyncClient() as client:
                assert (await client.get(f"http://127.0.0.1:{good}/")).status_code == 404  # it serves
        await mesh.api.delete(f"{ROOT}/config/Gateway/default/taken")
        async with asyncio.timeout(SOON_S):
            while (await _lds(mesh))["state"] != "SYNCED":  # noqa: ASYNC110  another process
                await asyncio.sleep(0.05)
    finally:
        await agent.stop()
    await unharmed(mesh)


async def _lds(mesh: Mesh) -> Any:
    (found,) = [p for p in (await mesh.get("/proxies"))["proxies"] if p["type"] == "router"]
    return found["types"]["lds"]


async def _refusal(mesh: Mesh) -> str:
    async with asyncio.timeout(SOON_S):
        while not (error := (await _lds(mesh))["error"]):  # noqa: ASYNC110  another process
            await asyncio.sleep(0.05)
    return str(error)


async def test_an_envoy_that_never_connects(mesh: Mesh, tmp_path: Path):
    await mesh.apply(service())
    nowhere = Address("127.0.0.1", free_port())
    agent = Agent(AgentSettings(GATEWAY_NODE, "edge.default", tmp_path / "edge", nowhere, ports=FREE_PORTS))
    await agent.start()
    try:
        with pytest.raises(EnvoyNotReady, match=r"Envoy edge-1\.default: .*no clusters \(cds\) accepted"):
            await agent.ready(3.0)
    finally:
        await agent.stop()

    assert (await mesh.get("/proxies"))["proxies"] == []
    await unharmed(mesh)


async def test_an_envoy_that_connects_and_never_answers(mesh: Mesh):
    await mesh.apply(service())
    async with mesh.proxy(node=GATEWAY_NODE) as silent:
        await silent.send(CDS)
        await silent.read()
        await unharmed(mesh)

        found = {p["instance"]: p["types"]["cds"]["state"] for p in (await mesh.get("/proxies"))["proxies"]}
        assert found["edge-1.default"] == "STALE"


@pytest.mark.parametrize(
    ("text", "said"),
    [("accessLogFile: [1]", "accessLogFile"), ("[", "not YAML"), ("- 1", "MeshConfig")],
)
async def test_settings_of_the_mesh_that_are_none(mesh: Mesh, text: str, said: str):
    await mesh.apply(service() + MESH.format("accessLogFile: /dev/stdout"))
    (problem,) = await mesh.refused(MESH.format(text))

    assert said in problem["message"]
    assert problem["subject"] == "ConfigMap istio-system/istio"
    await unharmed(mesh)


async def test_a_broken_file_keeps_its_last_good_content(tmp_path: Path):
    folder = tmp_path / "config"
    folder.mkdir()
    file = folder / "shop.yaml"
    file.write_text(service() + routes())
    async with running(tmp_path / "mesh", config=folder) as mesh:
        file.write_text(service() + routes(timeout="soon"))
        async with asyncio.timeout(SOON_S):
            while not (told := (await mesh.get("/analyze"))["files"]):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.05)

        assert [(p["file"], p["field"]) for p in told] == [(str(file), "spec.http[0].timeout")]
        (found,) = (await mesh.get("/config", kind="VirtualService"))["items"]
        assert found["spec"]["http"][0]["timeout"] == "2s"
        await unharmed(mesh)


async def test_a_folder_that_is_none(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"mesh\.config .* is no directory"):
        async with running(tmp_path / "mesh", config=tmp_path / "absent"):
            pass


async def test_a_port_of_xds_that_is_taken(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"cannot listen on 127\.0\.0\.1:{port}"):
            async with running_on(tmp_path, port):
                pass


def running_on(tmp_path: Path, port: int) -> Any:
    return running(tmp_path / "mesh", xds_port=port)


async def test_what_was_configured_and_who_was_there_survives_a_restart(tmp_path: Path):
    async with running(tmp_path / "mesh") as mesh:
        await mesh.apply(service() + routes())
        async with mesh.proxy() as proxy:
            await proxy.send(CDS)
            await proxy.take()
    async with running(tmp_path / "mesh") as mesh:
        assert await mesh.number() == 1
        assert "web-1" in [k.name for k in mesh.pilot.collection().by_key if k.kind == "Pod"]
        await unharmed(mesh)
