"""Bodies of requests, read with a bound."""

from fastapi import Request

from vigla.errors import PayloadTooLarge


async def read(request: Request, limit: int, what: str) -> bytes:
    """The whole body.

    Args:
        request: whose body it is.
        limit: bytes it may have.
        what: it is, for the message.

    Raises:
        PayloadTooLarge: it has more.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise PayloadTooLarge(f"{what} is larger than {limit:,} bytes")
    return bytes(body)
