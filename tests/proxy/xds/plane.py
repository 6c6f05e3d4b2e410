"""A real control plane on a free port, a raw client of it, and small resources."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import grpc
from google.protobuf import any_pb2
from prometheus_client import CollectorRegistry

from proxy.envoy.messages import TYPE_URL, message_class
from proxy.xds.control import ControlPlane, XdsSettings
from proxy.xds.metrics import PilotMetrics
from proxy.xds.node import Node
from proxy.xds.resources import CDS, EDS, LDS, RDS, Snapshot
from proxy.xds.server import SERVICE, XdsServer

Json = dict[str, Any]
SOON_S, QUIET_S = 20.0, 0.25
QUICK = XdsSettings(quiet_s=0.02, limit_s=0.5, ack_wait_s=60.0)
NODE = "sidecar~10.0.0.1~web-1.default~default.svc.cluster.local"
OTHER = "sidecar~10.0.0.2~cart-1.default~default.svc.cluster.local"
_DISCOVERY = "envoy.service.discovery.v3."


def cluster(name: str, seconds: int = 1) -> Json:
    """A cluster; other seconds make another version."""
    return {"name": name, "connect_timeout": f"{seconds}s"}


def assignment(name: str, port: int = 1) -> Json:
    """The endpoints of a cluster."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}


def listener(name: str, prefix: str = "") -> Json:
    """A listener; another prefix makes another version."""
    return {"name": name, "stat_prefix": prefix}


def route(name: str, domain: str = "*") -> Json:
    """A route configuration; another domain makes another version."""
    return {"name": name, "virtual_hosts": [{"name": "all", "domains": [domain]}]}


def snapshot(
    clusters: Iterable[Json] = (),
    assignments: Iterable[Json] = (),
    listeners: Iterable[Json] = (),
    routes: Iterable[Json] = (),
) -> Snapshot:
    """A snapshot of resources in JSON form."""
    return Snapshot.of({CDS: clusters, EDS: assignments, LDS: listeners, RDS: routes})


def versions(found: Snapshot, type_url: str) -> dict[str, str]:
    """Version by name."""
    return {r.name: r.version for r in found.get(type_url).values()}


def request(name: str, **fields: Any) -> Any:
    """A message of the discovery service; ``node`` is its id, ``error`` a refusal."""
    node, error = fields.pop("node", ""), fields.pop("error", "")
    made: Any = message_class(_DISCOVERY + name)(**fields)
    if node:
        made.node.id = node
    if error:
        made.error_detail.message = error
    return made


def opened(body: bytes) -> Any:
    """The message in a serialized ``Any``."""
    wrapped = any_pb2.Any.FromString(body)
    return message_class(wrapped.type_url.removeprefix(TYPE_URL)).FromString(wrapped.value)


def names(response: Any) -> list[str]:
    """Names of the resources in a response of either protocol."""
    if "Delta" in type(response).__name__:
        return [r.name for r in response.resources]
    messages = [opened(r.SerializeToString()) for r in response.resources]
    return [getattr(m, "cluster_name", "") or m.name for m in messages]


class Client:
    """One ADS stream of either protocol that does only what it is told."""

    def __init__(
        self, port: int, *, delta: bool, node: str = NODE, options: Iterable[tuple[str, int]] = ()
    ) -> None:
        self.delta = delta
        self.node = node
        self._channel = grpc.aio.insecure_channel(
            f"127.0.0.1:{port}",
            [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1), *options],
        )
        kind = "Delta" if delta else ""
        method = "DeltaAggregatedResources" if delta else "StreamAggregatedResources"
        self._request = f"{kind}DiscoveryRequest"
        self._call = self._channel.stream_stream(
            f"/{SERVICE}/{method}",
            request_serializer=lambda made: made.SerializeToString(),
            response_deserializer=message_class(f"{_DISCOVERY}{kind}DiscoveryResponse").FromString,
        )()
        self._responses: asyncio.Queue[Any] = asyncio.Queue()
        self._reader = asyncio.create_task(self._receive())

    async def _receive(self) -> None:
        """Reads all the time: a read that is given up would end the stream."""
        try:
            while (found := await self._call.read()) is not grpc.aio.EOF:
                self._responses.put_nowait(found)
        except grpc.aio.AioRpcError:
            pass
        self._responses.put_nowait(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Go away."""
        self._reader.cancel()
        await asyncio.wait([self._reader])
        self._call.cancel()
        await self._channel.close()

    async def send(self, type_url: str, *asked: str, **fields: Any) -> None:
        """A request; the first one names the node. ``asked`` are the names (to subscribe to)."""
        fields.setdefault("resource_names_subscribe" if self.delta else "resource_names", asked)
        await self._call.write(request(self._request, type_url=type_url, node=self.node, **fields))
        self.node = ""

    async def send_raw(self, made: Any) -> None:
        """Any request."""
        await self._call.write(made)

    async def read(self) -> Any:
        """The next response."""
        async with asyncio.timeout(SOON_S):
            found = await self._responses.get()
        assert found is not None, await self.ended()
        return found

    async def silent(self) -> bool:
        """Whether nothing comes for a moment."""
        await asyncio.sleep(QUIET_S)
        return self._responses.empty()

    async def answer(self, response: Any, *all_names: str, error: str = "", **fields: Any) -> None:
        """Accept a response, or refuse it; in the state of the world each answer has all names wanted."""
        if not self.delta and not error:
            fields["version_info"] = response.version_info
        asked = () if self.delta else all_names
        await self.send(response.type_url, *asked, response_nonce=response.nonce, error=error, **fields)

    async def take(self, *asked: str) -> Any:
        """The next response, accepted."""
        found = await self.read()
        await self.answer(found, *asked)
        return found

    async def ended(self) -> tuple[grpc.StatusCode, str]:
        """How the server ended the stream."""
        async with asyncio.timeout(SOON_S):
            await self._reader
            return await self._call.code(), await self._call.details() or ""


@dataclass(slots=True)
class Plane:
    """A control plane that gives each node what ``show`` was told last."""

    control: ControlPlane
    port: int
    shown: dict[str, Snapshot] = field(default_factory=dict)
    joined: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def show(self, found: Snapshot, instance: str = "web-1.default") -> None:
        """Give a proxy these resources from now on."""
        self.shown[instance] = found
        self.control.changed()

    def client(self, *, delta: bool, node: str = NODE, options: Iterable[tuple[str, int]] = ()) -> Client:
        """A new stream; ``options`` are of its gRPC channel."""
        return Client(self.port, delta=delta, node=node, options=options)

    def status(self, short: str) -> Any:
        """State of a type at the only proxy."""
        (found,) = self.control.status()
        return found.types[short]

    async def until(self, condition: Any) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(SOON_S):
            while not condition():  # noqa: ASYNC110  the server tells nobody
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(
    first: Mapping[str, Snapshot] | None = None, settings: XdsSettings = QUICK
) -> AsyncIterator[Plane]:
    """A control plane while inside."""
    shown: dict[str, Snapshot] = dict(first or {})
    joined: list[str] = []
    left: list[str] = []

    def generate(node: Node, _: Snapshot | None) -> Snapshot:
        return shown[node.instance]

    control = ControlPlane(
        generate,
        metrics=PilotMetrics(CollectorRegistry()),
        joined=lambda node: joined.append(node.instance),
        left=lambda node: left.append(node.instance),
        settings=settings,
    )
    server = XdsServer(control)
    port = server.listen("127.0.0.1", 0)
    await control.start()
    await server.start()
    try:
        yield Plane(control, port, shown, joined, left)
    finally:
        await server.stop()
        await control.stop()
