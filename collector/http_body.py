"""A request's body: read, and inflated, within bounds on size, time and memory."""

import asyncio
from typing import NamedTuple

from starlette.types import Receive

from collector.admission import INLINE_BYTES, Admission, Lease
from collector.compression import inflate
from vigla.errors import PayloadTooLarge

TIMEOUT_S = 30.0  # a sender that takes longer for one body holds memory for nothing


class Disconnected(Exception):
    """The client went away before its body was whole."""


class Framing(NamedTuple):
    """What the headers say about a body.

    Attributes:
        length: ``Content-Length``; 0 when it is not known.
        encoding: ``Content-Encoding`` in lower case; empty for none.
    """

    length: int
    encoding: str


def framing(headers: dict[bytes, bytes]) -> Framing:
    """From headers by lower-case name; the server has checked that a length is a number."""
    encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
    return Framing(int(headers.get(b"content-length", b"0")), "" if encoding == "identity" else encoding)


async def read(receive: Receive, frame: Framing, admission: Admission, lease: Lease) -> bytes:
    """The whole body, inflated; what it takes is held by ``lease``.

    Raises:
        Disconnected: the client went away.
        TimeoutError: it took longer than ``TIMEOUT_S``.
        PayloadTooLarge: it is larger than allowed, as sent or inflated.
        UnsupportedEncoding, BadInput: it cannot be inflated.
        Overloaded: all requests together hold too much.
    """
    async with asyncio.timeout(TIMEOUT_S):
        body = await _received(receive, frame, admission.settings.max_body_bytes, lease)
    if not frame.encoding:
        return body
    return await _inflated(body, frame.encoding, admission, lease)


async def _received(receive: Receive, frame: Framing, limit: int, lease: Lease) -> bytes:
    too_large = PayloadTooLarge(f"body is larger than {limit} bytes")
    if frame.length > limit:
        raise too_large
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large
        lease.grow(len(part))
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _inflated(body: bytes, encoding: str, admission: Admission, lease: Lease) -> bytes:
    """Small results inline; how large one becomes is known only by trying."""
    limit = admission.settings.max_inflated_bytes
    try:
        return inflate(body, encoding, min(limit, INLINE_BYTES), lease.grow)
    except PayloadTooLarge:
        if limit <= INLINE_BYTES:
            raise
    return await admission.in_thread(inflate, body, encoding, limit, lease.grow)
