"""Bodies and records: the snappy block format, and a line in front of a record that names its message."""

import pyarrow as pa

from vigla.errors import BadInput, PayloadTooLarge
from vigla.wire.remote_write.descriptors import Version

PROTO: dict[str, Version] = {"prometheus.WriteRequest": "1", "io.prometheus.write.v2.Request": "2"}
MAX_BYTES = 32 * 1024 * 1024
"""Largest request after decompression, as in Prometheus."""

_LINES: dict[Version, bytes] = {
    version: f"application/x-protobuf;proto={name}\n".encode() for name, version in PROTO.items()
}
_SNAPPY = pa.Codec("snappy")
_LENGTH_BYTES, _SHIFT, _MORE = 5, 7, 0x80


def wrap(version: Version, body: bytes) -> bytes:
    """The record of a compressed body."""
    return _LINES[version] + body


def unwrap(record: bytes) -> tuple[Version, bytes]:
    """Version and compressed body of a record.

    Raises:
        BadInput: it does not begin with the line of a known message.
    """
    for version, line in _LINES.items():
        if record.startswith(line):
            return version, record[len(line) :]
    raise BadInput(f"record of remote_write begins with no known message's name: {record[:40]!r}")


def compress(message: bytes) -> bytes:
    """A message in the snappy block format."""
    packed: bytes = _SNAPPY.compress(message, asbytes=True)
    return packed


def decompress(body: bytes, limit: int = MAX_BYTES) -> bytes:
    """A body in the snappy block format, which begins with its length.

    Raises:
        PayloadTooLarge: longer than ``limit``.
        BadInput: not in this format.
    """
    size = 0
    for place, byte in enumerate(body[:_LENGTH_BYTES]):
        size |= (byte & (_MORE - 1)) << (_SHIFT * place)
        if byte < _MORE:
            break
    else:
        raise BadInput("body is not in the snappy block format: send Content-Encoding: snappy")
    if size > limit:
        raise PayloadTooLarge(f"body inflates to {size} bytes, allowed are {limit}")
    if not size:
        return b""
    try:
        message: bytes = _SNAPPY.decompress(body, decompressed_size=size, asbytes=True)
    except (OSError, pa.ArrowException) as error:
        raise BadInput("body is not in the snappy block format: send Content-Encoding: snappy") from error
    return message
