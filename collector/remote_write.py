"""Prometheus remote write over HTTP, versions 1.0 and 2.0.

Source: the Prometheus specifications "Remote-Write 1.0" and "2.0". Every answer says how much was written: a
2.0 sender that gets no such header takes the receiver for one of 1.0 that understood nothing.
"""

from email.message import Message

from starlette.types import Receive, Scope, Send

from collector import answers, http_body
from collector.admission import Admission, Reason
from vigla.errors import BadInput, Overloaded, PayloadTooLarge, UnsupportedEncoding, ViglaError
from vigla.wire.remote_write.admit import AdmittedWrite
from vigla.wire.remote_write.descriptors import Version
from vigla.wire.remote_write.envelope import PROTO

PATH = "/api/v1/write"
MEDIA_TYPE = "application/x-protobuf"
ENCODING = "snappy"
DEFAULT = "prometheus.WriteRequest"

_NOTHING = AdmittedWrite(b"", 0, 0, 0)
_ALLOW, _CLOSE = (b"allow", b"POST"), (b"connection", b"close")

Headers = list[tuple[bytes, bytes]]


class UnsupportedMedia(BadInput):
    """A content type that is not remote write's."""


class RemoteWriteReceiver:
    """ASGI application that answers ``POST`` of whatever path it stands at."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if scope["method"] != "POST":
            await _answer(send, 405, _NOTHING, "only POST is allowed", [_ALLOW])
            return
        try:
            admitted = await self._accepted(dict(scope["headers"]), receive)
        except http_body.Disconnected:
            self._admission.refused("remote_write", "http", "disconnect")
        except TimeoutError:
            self._admission.refused("remote_write", "http", "timeout")
            await _answer(send, 408, _NOTHING, "the body took too long", [_CLOSE])
        except (BadInput, Overloaded) as error:
            await self._refuse(error, send)
        else:
            await _answer(send, 400 if admitted.reason else 204, admitted, admitted.reason)

    async def _accepted(self, headers: dict[bytes, bytes], receive: Receive) -> AdmittedWrite:
        version = _version(headers.get(b"content-type", b"").decode("latin-1"))
        frame = http_body.framing(headers)
        if frame.encoding not in {"", ENCODING}:  # early 1.0 senders name none
            raise UnsupportedEncoding(f"content encoding {frame.encoding!r} is not {ENCODING}")
        with self._admission.lease() as lease:
            body = await http_body.read(receive, frame._replace(encoding=""), self._admission, lease)
            return await self._admission.accept_remote_write(version, body)

    async def _refuse(self, error: ViglaError, send: Send) -> None:
        status, reason = _refusal(error)
        self._admission.refused("remote_write", "http", reason)
        extra: Headers = []
        if isinstance(error, Overloaded):
            extra.append((b"retry-after", answers.retry_after(error.retry_after_s).encode()))
        await _answer(send, status, _NOTHING, str(error), extra)


def _version(content_type: str) -> Version:
    """The version that a content type names; 1.0 when it names none.

    Raises:
        UnsupportedMedia: another type, or another message.
    """
    header = Message()
    header["content-type"] = content_type or MEDIA_TYPE
    media, proto = header.get_content_type(), header.get_param("proto", DEFAULT)
    if media != MEDIA_TYPE or not isinstance(proto, str) or proto not in PROTO:
        known = ", ".join(f"{MEDIA_TYPE};proto={name}" for name in PROTO)
        raise UnsupportedMedia(f"content type {content_type!r} is not one of {known}")
    return PROTO[proto]


def _refusal(error: ViglaError) -> tuple[int, Reason]:
    """HTTP status and the reason as counted."""
    match error:
        case Overloaded():
            return 429, "overload"
        case PayloadTooLarge():
            return 413, "too_large"
        case UnsupportedEncoding():
            return 415, "encoding"
        case UnsupportedMedia():
            return 415, "media_type"
    return 400, "invalid"


async def _answer(
    send: Send, status: int, written: AdmittedWrite, text: str, extra: Headers | None = None
) -> None:
    counts = {"samples": written.samples, "histograms": written.histograms, "exemplars": written.exemplars}
    headers = [
        *((f"x-prometheus-remote-write-{name}-written".encode(), b"%d" % n) for name, n in counts.items()),
        *(extra or ()),
    ]
    body = f"{text}\n".encode() if text else b""
    if body:
        headers += [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
