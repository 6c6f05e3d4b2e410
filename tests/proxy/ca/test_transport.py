"""xDS over mutual TLS: who may connect, and as whom."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from proxy.ca.authority import Issued, open_authority
from proxy.ca.identity import Identity
from proxy.envoy.messages import build, message_class
from proxy.pilot.server import Pilot
from proxy.xds.resources import CDS
from vigla.clock import SystemClock
from vigla.settings import MeshSettings

METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
REQUEST = build(
    "envoy.service.discovery.v3.DiscoveryRequest",
    {
        "node": {
            "id": "sidecar~10.0.0.1~web-0.shop~shop.svc.cluster.local",
            "metadata": {"SERVICE_ACCOUNT": "web"},
        },
        "type_url": CDS,
    },
).SerializeToString()


@pytest_asyncio.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot]:
    settings = MeshSettings(
        enabled=True, xds_port=0, tls_host="127.0.0.1", tls_port=0, tls_names=("pilot.example.com",)
    )
    made = Pilot(settings, tmp_path / "mesh", SystemClock(), CollectorRegistry())
    await made.start()
    yield made
    await made.stop()


async def clusters(port: int, issued: Issued | None, root: bytes, name: str = "127.0.0.1") -> int:
    """How many clusters a proxy with this certificate gets."""
    key, chain = (issued.key, issued.chain) if issued else (None, None)
    credentials = grpc.ssl_channel_credentials(root, key, chain)
    options = [("grpc.ssl_target_name_override", name)]
    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options) as channel:
        stream = channel.stream_stream(METHOD)()
        await stream.write(REQUEST)
        content = await stream.read()
    assert isinstance(content, bytes)
    return len(message_class("envoy.service.discovery.v3.DiscoveryResponse").FromString(content).resources)


def issued(pilot: Pilot, account: str = "web", namespace: str = "shop", hours: float = 1) -> Issued:
    return pilot.authority.issue(Identity("cluster.local", namespace, account), timedelta(hours=hours))


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["127.0.0.1", "pilot.example.com"])
async def test_a_workload_gets_its_configuration(pilot: Pilot, name: str) -> None:
    assert await clusters(pilot.tls_port, issued(pilot), pilot.authority.root, name) > 0


@pytest.mark.asyncio
async def test_no_one_gets_that_of_another(pilot: Pilot) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await clusters(pilot.tls_port, issued(pilot, "other"), pilot.authority.root)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "sa/other" in (refused.value.details() or "")


@pytest.mark.asyncio
async def test_certificates_of_others_do_not_count(pilot: Pilot, tmp_path: Path) -> None:
    foreign = open_authority(tmp_path / "foreign").issue(Identity("cluster.local", "shop", "web"))
    for certificate in (None, foreign, issued(pilot, hours=-0.01)):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await clusters(pilot.tls_port, certificate, pilot.authority.root)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.asyncio
async def test_a_server_of_another_name_is_not_trusted(pilot: Pilot) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await clusters(pilot.tls_port, issued(pilot), pilot.authority.root, "other.example.com")
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
