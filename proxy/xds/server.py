"""The gRPC service: Envoy's aggregated discovery, both protocols, in plain text and with mutual TLS."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import NoReturn

import grpc
from google.protobuf.message import DecodeError

from proxy.ca.identity import Identity, identities_of
from proxy.xds.control import Connection, ControlPlane
from proxy.xds.node import Node, read_node
from proxy.xds.stream import read_request
from vigla.errors import BadInput, Overloaded, SettingsError
from vigla.listen import MIN_PING_INTERVAL_MS

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
MAX_REQUEST_BYTES = 4 * 1024 * 1024  # names and versions only
_KEEPALIVE_MS, _KEEPALIVE_TIMEOUT_MS = 30_000, 10_000
_LOOPBACK = ("ipv4:127.", "ipv6:[::1]", "ipv6:%5B::1%5D", "unix:")

Context = grpc.aio.ServicerContext[bytes, bytes]


class XdsServer:
    """Serves a control plane to Envoys."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
                ("grpc.so_reuseport", 0),  # a second process on our port is a mistake that must be seen
                ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
                ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_INTERVAL_MS),
            ]
        )
        methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(
                partial(self._serve, delta=False)
            ),
            "DeltaAggregatedResources": grpc.stream_stream_rpc_method_handler(
                partial(self._serve, delta=True)
            ),
        }
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, methods)])

    def listen(self, host: str, port: int, credentials: grpc.ServerCredentials | None = None) -> int:
        """Add an address before ``start``; returns the port.

        Args:
            host: address; plain text is served to this machine only, wherever it listens.
            port: 0 picks a free one.
            credentials: of ``proxy.ca.transport``: TLS that asks for the proxy's certificate.

        Raises:
            SettingsError: the address cannot be listened on.
        """
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if credentials is None:
                return self._server.add_insecure_port(address)
            return self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise SettingsError(
                f"cannot listen on {address}: stop what uses it or choose another port"
            ) from error

    async def start(self) -> None:
        """Accept proxies."""
        await self._server.start()

    async def stop(self, grace_s: float = 0.0) -> None:
        """Close all streams; proxies go on with what they have and come back."""
        await self._server.stop(grace_s)

    async def _serve(
        self, requests: AsyncIterator[bytes], context: Context, *, delta: bool
    ) -> AsyncIterator[bytes]:
        try:
            first = await anext(aiter(requests))
            node = read_node(read_request(first, delta=delta).node)
            _authorize(node, context)
            connection = self._control.connect(node, context.peer(), delta=delta)
        except StopAsyncIteration:
            return
        except (BadInput, DecodeError, PermissionError, Overloaded) as error:
            await _refuse(context, error)
        reader = asyncio.create_task(self._read(first, requests, connection))
        reader.add_done_callback(lambda _: connection.wake.set())
        try:
            while not reader.done():
                if (response := self._control.next_response(connection)) is not None:
                    yield response
                else:
                    await self._wait(connection)
            if not reader.cancelled() and (failed := reader.exception()):
                await _refuse(context, failed)
        finally:
            reader.cancel()
            self._control.disconnect(connection)

    async def _read(self, first: bytes, requests: AsyncIterator[bytes], connection: Connection) -> None:
        self._control.receive(connection, first)
        async for content in requests:
            self._control.receive(connection, content)

    async def _wait(self, connection: Connection) -> None:
        limit = connection.stream.wait_s(self._control.clock.monotonic())
        waiter = asyncio.ensure_future(connection.wake.wait())
        try:
            await asyncio.wait([waiter], timeout=limit)
        finally:
            waiter.cancel()
        connection.wake.clear()


def _authorize(node: Node, context: Context) -> None:
    """Let in who may be this node: a certificate must say so; this machine is trusted without one.

    Raises:
        PermissionError: it may not.
    """
    auth = context.auth_context()
    if not auth.get("x509_pem_cert"):
        if not context.peer().startswith(_LOOPBACK):
            raise PermissionError("plain text is for this machine only: connect with TLS and a certificate")
        return
    found = identities_of(next(iter(auth["x509_pem_cert"])))
    if not any(_is(i, node) for i in found):
        raise PermissionError(
            f"the certificate is of {', '.join(map(str, found)) or 'no workload'}, the node is "
            f"ns/{node.namespace}/sa/{node.service_account}: set NAMESPACE and SERVICE_ACCOUNT accordingly"
        )


def _is(identity: Identity, node: Node) -> bool:
    return (identity.namespace, identity.service_account) == (node.namespace, node.service_account)


async def _refuse(context: Context, error: BaseException) -> NoReturn:
    codes: dict[type[BaseException], grpc.StatusCode] = {
        PermissionError: grpc.StatusCode.PERMISSION_DENIED,
        Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
    await context.abort(codes.get(type(error), grpc.StatusCode.INVALID_ARGUMENT), str(error))
    raise AssertionError  # abort raises
