"""OTLP over HTTP as a plain ASGI application: no framework stands on the hot path.

Source: OTLP specification, section "OTLP/HTTP". Any origin may send from a browser: an OTLP endpoint that
browsers reach is open to whoever can reach it, and no answer holds anything of others.
"""

from starlette.types import Receive, Scope, Send

from collector import answers, http_body, remote_write, sampling
from collector.admission import Admission, Reason
from collector.answers import Format
from collector.sampling import StrategyFile
from vigla.errors import BadInput, Overloaded, PayloadTooLarge, UnsupportedEncoding, ViglaError
from vigla.wire.otlp.descriptors import Signal

PATHS: dict[str, Signal] = {"/v1/traces": "traces", "/v1/metrics": "metrics", "/v1/logs": "logs"}
PROMETHEUS_PREFIX = "/api/v1/otlp"
"""Where senders that are set up for Prometheus put ``/v1/metrics``."""
FORMATS: dict[str, Format] = {"application/x-protobuf": "protobuf", "application/json": "json"}
MEDIA_TYPES = {form: media.encode() for media, form in FORMATS.items()}
TEXT = b"text/plain; charset=utf-8"

CORS = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"retry-after")]
PREFLIGHT = [
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"authorization, *"),  # the wildcard does not stand for this one
    (b"access-control-max-age", b"7200"),
]
ALLOW = [(b"allow", b"POST, OPTIONS")]
CLOSE = [(b"connection", b"close")]


class HttpReceiver:
    """ASGI application with ``POST /v1/{traces,metrics,logs}``, ``/api/v1/write`` and Prometheus' OTLP path.

    Can be mounted below another one. Agents ask ``GET /sampling`` for strategies.
    """

    def __init__(self, admission: Admission, strategies: StrategyFile) -> None:
        self._admission = admission
        self._strategies = strategies
        self._remote_write = remote_write.RemoteWriteReceiver(admission)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path == remote_write.PATH:
            await self._remote_write(scope, receive, send)
            return
        if path in sampling.PATHS and scope["method"] == "GET":
            await self._strategy(scope["query_string"], send)
            return
        signal = PATHS.get(path.removeprefix(PROMETHEUS_PREFIX))
        if signal is None:
            await _answer(
                send, 404, TEXT, f"not found; paths are {', '.join([*PATHS, remote_write.PATH])}\n".encode()
            )
        elif scope["method"] == "OPTIONS":
            await _answer(send, 204, None, b"", [*ALLOW, *PREFLIGHT])
        elif scope["method"] != "POST":
            await _answer(send, 405, TEXT, b"only POST is allowed\n", ALLOW)
        else:
            await self._export(signal, dict(scope["headers"]), receive, send)

    async def _strategy(self, query: bytes, send: Send) -> None:
        try:
            answer = self._strategies.of(sampling.service_asked(query))
        except BadInput as error:
            await _answer(send, 400, TEXT, f"{error}\n".encode())
        else:
            await _answer(send, 200, MEDIA_TYPES["json"], sampling.written(answer))

    async def _export(
        self, signal: Signal, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        media = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        form = FORMATS.get(media)
        if form is None:
            self._admission.refused(signal, "http", "media_type")
            message = f"content type {media!r} is not one of {', '.join(FORMATS)}\n"
            await _answer(send, 415, TEXT, message.encode())
            return
        try:
            content = await self._accepted(signal, form, http_body.framing(headers), receive)
        except http_body.Disconnected:
            self._admission.refused(signal, "http", "disconnect")
        except TimeoutError:
            self._admission.refused(signal, "http", "timeout")
            await _answer(send, 408, TEXT, b"the body took too long\n", CLOSE)
        except (BadInput, Overloaded) as error:
            await self._refuse(signal, form, error, send)
        else:
            await _answer(send, 200, MEDIA_TYPES[form], content)

    async def _accepted(
        self, signal: Signal, form: Format, frame: http_body.Framing, receive: Receive
    ) -> bytes:
        with self._admission.lease() as lease:
            body = await http_body.read(receive, frame, self._admission, lease)
            accept = self._admission.accept_json if form == "json" else self._admission.accept_protobuf
            return answers.success(signal, await accept(signal, "http", body), form)

    async def _refuse(self, signal: Signal, form: Format, error: ViglaError, send: Send) -> None:
        status, code, reason = _refusal(error)
        self._admission.refused(signal, "http", reason)
        retry = []
        if isinstance(error, Overloaded):
            retry.append((b"retry-after", answers.retry_after(error.retry_after_s).encode()))
        await _answer(send, status, MEDIA_TYPES[form], answers.failure(code, str(error), form), retry)


def _refusal(error: ViglaError) -> tuple[int, int, Reason]:
    """HTTP status, gRPC code and the reason as counted."""
    match error:
        case Overloaded():
            return 429, answers.GRPC_RESOURCE_EXHAUSTED, "overload"
        case PayloadTooLarge():
            return 413, answers.GRPC_INVALID_ARGUMENT, "too_large"
        case UnsupportedEncoding():
            return 415, answers.GRPC_INVALID_ARGUMENT, "encoding"
    return 400, answers.GRPC_INVALID_ARGUMENT, "invalid"


async def _answer(
    send: Send, status: int, media: bytes | None, body: bytes, extra: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [*CORS, *(extra or ())]
    if media is not None:
        headers += [(b"content-type", media), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
