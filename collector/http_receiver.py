"""OTLP over HTTP as a plain ASGI application: no framework stands on the hot path.

Source: OTLP specification, section "OTLP/HTTP".
"""

import asyncio

from starlette.types import Receive, Scope, Send

from collector import answers
from collector.admission import INLINE_BYTES, Admission
from collector.answers import Format
from collector.compression import inflate
from vigla.errors import BadInput, Overloaded, PayloadTooLarge, UnsupportedEncoding
from vigla.wire.otlp.descriptors import Signal

TRANSPORT = "http"
PATHS: dict[str, Signal] = {"/v1/traces": "traces", "/v1/metrics": "metrics", "/v1/logs": "logs"}
FORMATS: dict[str, Format] = {"application/x-protobuf": "protobuf", "application/json": "json"}
MEDIA_TYPES: dict[Format, bytes] = {form: media.encode() for media, form in FORMATS.items()}
BODY_TIMEOUT_S = 30.0  # a sender that takes longer for one body holds memory for nothing

CORS = [(b"access-control-allow-origin", b"*")]
PREFLIGHT = [
    *CORS,
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", b"*"),
    (b"access-control-max-age", b"7200"),
]

Headers = list[tuple[bytes, bytes]]


class HttpReceiver:
    """ASGI application with ``POST /v1/{traces,metrics,logs}``; can be mounted below another application."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        signal = PATHS.get(path)
        if signal is None:
            await _answer(send, 404, b"text/plain", f"no such path: send to {', '.join(PATHS)}\n".encode())
        elif scope["method"] == "OPTIONS":
            await _answer(send, 204, b"text/plain", b"", PREFLIGHT)
        elif scope["method"] != "POST":
            await _answer(send, 405, b"text/plain", b"only POST is allowed\n", [(b"allow", b"POST, OPTIONS")])
        else:
            await self._export(signal, {k.lower(): v for k, v in scope["headers"]}, receive, send)

    async def _export(
        self, signal: Signal, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        media = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        form = FORMATS.get(media)
        if form is None:
            self._admission.refused(signal, TRANSPORT, "media type")
            message = f"content type {media!r} is not supported: send {' or '.join(FORMATS)}\n"
            await _answer(send, 415, b"text/plain", message.encode())
            return
        try:
            body = await self._accept(signal, form, headers, receive)
        except _Disconnected:
            self._admission.refused(signal, TRANSPORT, "disconnect")
        except Overloaded as error:
            self._admission.refused(signal, TRANSPORT, "overload")
            retry = [*CORS, (b"retry-after", answers.retry_after(error.retry_after_s).encode())]
            status = answers.failure(answers.GRPC_RESOURCE_EXHAUSTED, str(error), form)
            await _answer(send, 429, MEDIA_TYPES[form], status, retry)
        except BadInput as error:
            code, reason = _refusal(error)
            self._admission.refused(signal, TRANSPORT, reason)
            status = answers.failure(answers.GRPC_INVALID_ARGUMENT, str(error), form)
            await _answer(send, code, MEDIA_TYPES[form], status)
        else:
            await _answer(send, 200, MEDIA_TYPES[form], body)

    async def _accept(
        self, signal: Signal, form: Format, headers: dict[bytes, bytes], receive: Receive
    ) -> bytes:
        settings = self._admission.settings
        _check_length(headers, settings.max_body_bytes)
        body = await _read(receive, settings.max_body_bytes)
        encoding = headers.get(b"content-encoding", b"").decode("latin-1")
        with self._admission.holding(len(body)):
            inflated = await _inflated(body, encoding, settings.max_inflated_bytes)
            with self._admission.holding(len(inflated)):
                admitted = await self._admission.accept(signal, TRANSPORT, inflated, as_json=form == "json")
        return answers.success(signal, admitted, form)


class _Disconnected(Exception):
    """The client went away before its body was whole."""


def _refusal(error: BadInput) -> tuple[int, str]:
    match error:
        case PayloadTooLarge():
            return 413, "too large"
        case UnsupportedEncoding():
            return 415, "encoding"
    return 400, "invalid"


def _check_length(headers: dict[bytes, bytes], limit: int) -> None:
    """Refuse by the announced length, before a byte of the body is read."""
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)


async def _read(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Disconnected
                part = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise _too_large(limit)
                parts.append(part)
                if not message.get("more_body", False):
                    return parts[0] if len(parts) == 1 else b"".join(parts)
    except TimeoutError as error:
        raise BadInput(f"the body did not arrive within {BODY_TIMEOUT_S:.0f} s") from error


async def _inflated(body: bytes, encoding: str, limit: int) -> bytes:
    if encoding and len(body) > INLINE_BYTES // 8:
        return await asyncio.to_thread(inflate, body, encoding, limit)
    return inflate(body, encoding, limit)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body is larger than {limit} bytes: send less at once")


async def _answer(send: Send, status: int, media: bytes, body: bytes, headers: Headers = CORS) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", media), length, *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})
