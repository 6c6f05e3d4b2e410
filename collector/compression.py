"""Content encodings of HTTP bodies, inflated up to a bound and no further."""

import io
import zlib
from collections.abc import Callable
from contextlib import closing
from typing import Protocol

import pyarrow as pa
from isal import igzip, igzip_lib, isal_zlib

from vigla.errors import BadInput, PayloadTooLarge, UnsupportedEncoding

PART_BYTES = 1024 * 1024
ENCODINGS = ("gzip", "deflate", "zstd")


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


def inflate(body: bytes, encoding: str, limit: int, hold: Callable[[int], None]) -> bytes:
    """Undo a content encoding.

    Args:
        body: as sent.
        encoding: one of ``ENCODINGS``, in lower case.
        limit: bytes that may come out; inflating stops there.
        hold: called with the size of each part before the next is inflated; may raise.

    Raises:
        UnsupportedEncoding: the encoding is none of ``ENCODINGS``.
        PayloadTooLarge: more than ``limit`` bytes would come out.
        BadInput: the body is not what the encoding says, or ends early.
    """
    parts: list[bytes] = []
    size = 0
    try:
        with closing(_stream(body, encoding)) as stream:
            while part := stream.read(PART_BYTES):
                size += len(part)
                if size > limit:
                    raise PayloadTooLarge(f"body inflates to more than {limit} bytes")
                hold(len(part))
                parts.append(part)
    except (OSError, EOFError, igzip_lib.IsalError) as error:  # type: ignore[misc]  # their stub is wrong
        raise BadInput(f"body is not valid {encoding}: {error}") from error
    return b"".join(parts)


def _stream(body: bytes, encoding: str) -> _Stream:
    match encoding:
        case "gzip":
            return igzip.IGzipFile(fileobj=io.BytesIO(body))  # type: ignore[no-untyped-call]
        case "deflate":
            return _Deflate(body)
        case "zstd":
            # refuses frames that need a window of more than 128 MiB, zstd's own default
            zstd: _Stream = pa.CompressedInputStream(pa.BufferReader(body), "zstd")
            return zstd
    raise UnsupportedEncoding(f"content encoding {encoding!r} is not one of {', '.join(ENCODINGS)}")


class _Deflate:
    """RFC 9110 means the zlib format; some senders leave its frame out."""

    def __init__(self, body: bytes) -> None:
        framed = len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and (body[0] << 8 | body[1]) % 31 == 0
        self._stream = isal_zlib.decompressobj(wbits=zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)
        self._rest = body

    def read(self, size: int, /) -> bytes:
        """Inflate up to ``size`` bytes; none at the end."""
        if self._stream.eof:
            if self._stream.unused_data:
                raise EOFError("something follows its end")
            return b""
        part = self._stream.decompress(self._rest, size)
        self._rest = self._stream.unconsumed_tail
        if not part and not self._stream.eof:
            raise EOFError("it ends early")
        return part

    def close(self) -> None:
        """Nothing is held."""
