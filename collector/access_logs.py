"""Envoy's Access Log Service over gRPC: streams of messages, each appended to the bus as it comes.

Source: ``envoy/service/accesslog/v3/als.proto``. The protocol has no answer to a message. A stream's next
message is read once the last is durable, so that a sender meets HTTP/2's flow control before a refusal.
"""

import asyncio

import grpc

from collector import answers
from collector.admission import Admission
from vigla.errors import BadInput, Overloaded

SERVICE = "envoy.service.accesslog.v3.AccessLogService"
STATUS_DETAILS = "grpc-status-details-bin"

Context = grpc.aio.ServicerContext[bytes, bytes]


class AccessLogStreams:
    """The streams that are open.

    Args:
        admission: where messages go.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._stopping = False
        self._waiting: set[asyncio.Task[bytes | None]] = set()

    def handler(self) -> grpc.GenericRpcHandler:
        """The service, on raw bytes."""
        method: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_unary_rpc_method_handler(self._serve)
        return grpc.method_handlers_generic_handler(SERVICE, {"StreamAccessLogs": method})

    def stop(self) -> None:
        """End every stream once its last message is durable. Envoy opens another where it can."""
        self._stopping = True
        for task in self._waiting:
            task.cancel()

    async def _serve(self, _: object, context: Context) -> bytes:
        identifier = b""
        try:
            while (message := await self._next(context)) is not None:
                with self._admission.lease() as lease:
                    lease.grow(len(message))
                    identifier = await self._admission.accept_access_logs(message, identifier)
        except BadInput as error:
            self._admission.refused("access_logs", "grpc", "invalid")
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except Overloaded as error:
            self._admission.refused("access_logs", "grpc", "overload")
            details = answers.retry_status(str(error), error.retry_after_s)
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error), ((STATUS_DETAILS, details),))
        return b""

    async def _next(self, context: Context) -> bytes | None:
        """The next message; None when the client sends no more, or we stop."""
        if self._stopping:
            return None
        reading = asyncio.ensure_future(_read(context))
        self._waiting.add(reading)
        try:
            return await reading
        except asyncio.CancelledError:
            if self._stopping:
                return None
            raise
        finally:
            self._waiting.discard(reading)


async def _read(context: Context) -> bytes | None:
    message = await context.read()
    return message if isinstance(message, bytes) else None  # else gRPC's mark of the end
