"""Content encodings of HTTP bodies, inflated up to a bound and no further."""

import zlib

import zstandard
from isal import isal_zlib

from vigla.errors import BadInput, PayloadTooLarge, UnsupportedEncoding

ENCODINGS = ("identity", "gzip", "deflate", "zstd")

GZIP_WINDOW = 16 + zlib.MAX_WBITS
ZLIB_WINDOW = zlib.MAX_WBITS
RAW_WINDOW = -zlib.MAX_WBITS


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo a content encoding.

    Args:
        body: the body as sent.
        encoding: value of ``Content-Encoding``; empty means identity.
        limit: bytes the inflated body may have; inflating stops there.

    Raises:
        UnsupportedEncoding: the encoding is none of ``ENCODINGS``.
        PayloadTooLarge: more than ``limit`` bytes would come out.
        BadInput: the body is not what the encoding says.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _inflate_zlib(body, GZIP_WINDOW, limit)
        case "deflate":
            # RFC 9110 means the zlib format; some senders leave its header out
            return _inflate_zlib(body, ZLIB_WINDOW if _has_zlib_header(body) else RAW_WINDOW, limit)
        case "zstd":
            return _inflate_zstd(body, limit)
    raise UnsupportedEncoding(
        f"content encoding {encoding!r} is not supported: send one of {', '.join(ENCODINGS)}"
    )


def _has_zlib_header(body: bytes) -> bool:
    return len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and (body[0] << 8 | body[1]) % 31 == 0


def _inflate_zlib(body: bytes, window: int, limit: int) -> bytes:
    parts: list[bytes] = []
    left, rest = limit, body
    while rest:  # gzip allows several members, one behind the other
        stream = isal_zlib.decompressobj(wbits=window)
        try:
            part = stream.decompress(rest, left + 1)
        except isal_zlib.error as error:
            raise BadInput(f"the body is not valid gzip or deflate: {error}") from error
        left -= len(part)
        if left < 0:
            raise _too_large(limit)
        if not stream.eof:
            raise BadInput("the compressed body is cut short")
        parts.append(part)
        rest = stream.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _inflate_zstd(body: bytes, limit: int) -> bytes:
    try:
        with zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True) as reader:
            inflated = reader.read(limit + 1)
    except zstandard.ZstdError as error:
        raise BadInput(f"the body is not valid zstd: {error}") from error
    if len(inflated) > limit:
        raise _too_large(limit)
    return bytes(inflated)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body inflates to more than {limit} bytes: send less at once")
