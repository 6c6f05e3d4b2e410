"""The streamed answer: frames of ``prometheus.ChunkedReadResponse``.

A frame is its length as a varint, the CRC-32C of its content in four bytes (big-endian), and the content.
Source: Prometheus, "Remote read API", streamed chunks.
"""

from collections.abc import Iterable, Iterator

import crc32c

from vigla.wire.fields import delimited, scalar, varint
from vigla.wire.remote_read.chunks import Chunk
from vigla.wire.remote_read.samples import Labels
from vigla.wire.remote_write import rows

MEDIA_TYPE = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
MAX_FRAME_BYTES = 1024 * 1024
_XOR = 1


def frames(query: int, labels: Labels, chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """One series; its labels are repeated in each frame.

    Args:
        query: the number of the query that this answers.
        labels: sorted.
        chunks: in the order of their time.
    """
    own = b"".join(rows.label(name, value) for name, value in labels)
    held: list[bytes] = []
    size = len(own)
    for chunk in chunks:
        field = delimited(2, _message(chunk))
        if held and size + len(field) > MAX_FRAME_BYTES:
            yield _frame(query, own, held)
            held, size = [], len(own)
        held.append(field)
        size += len(field)
    if held:
        yield _frame(query, own, held)


def _message(chunk: Chunk) -> bytes:
    times = scalar(1, chunk.first_ms) + scalar(2, chunk.last_ms)
    return times + scalar(3, _XOR) + delimited(4, chunk.data)


def _frame(query: int, labels: bytes, chunks: Iterable[bytes]) -> bytes:
    content = delimited(1, labels + b"".join(chunks)) + scalar(2, query)
    return varint(len(content)) + crc32c.crc32c(content).to_bytes(4, "big") + content
