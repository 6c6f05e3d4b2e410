"""Remote write requests from columns: what is constant of a series is encoded once.

A series with one sample is its labels (constant), the value (8 bytes) and the time (6 bytes as a varint for
the years 1971 to 2109), so that a request is its rows joined.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vigla.wire.fields import delimited, scalar, varint
from vigla.wire.remote_write import envelope

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

EARLIEST_MS, LATEST_MS = 1 << 35, (1 << 42) - 1
"""Times that take 6 bytes."""

_TIME_BYTES = 6
_SAMPLE = b"\x12\x10\x09"  # samples: 16 bytes, value: a double
_AFTER_SAMPLE = 16 + 2
_TAIL = 8 + 1 + _TIME_BYTES
_TIME_TAG = 0x10


def series_head(labels: Mapping[str, str]) -> bytes:
    """The bytes of a series up to its sample's value."""
    own = b"".join(label(name, labels[name]) for name in sorted(labels))
    return b"\x0a" + varint(len(own) + _AFTER_SAMPLE) + own + _SAMPLE


def request(heads: pa.Array, values: Floats, times: Ints) -> bytes:
    """A compressed request of one sample a series.

    Args:
        heads: large_binary [N], of ``series_head``.
        values: of the samples; NaN keeps its bits.
        times: milliseconds, within ``EARLIEST_MS`` and ``LATEST_MS``.
    """
    rows = pc.binary_join_element_wise(heads, _tails(values, times), pa.scalar(b"", pa.large_binary()))
    return envelope.compress(_data(rows))


def heads_array(heads: Sequence[bytes]) -> pa.Array:
    """Heads as ``request`` takes them."""
    return pa.array(heads, pa.large_binary())


def _tail_rows(values: Floats, times: Ints) -> npt.NDArray[np.uint8]:
    """Value and time of each sample, as bytes."""
    rows = np.empty((len(values), _TAIL), np.uint8)
    rows[:, :8] = np.ascontiguousarray(values, "<f8").view(np.uint8).reshape(-1, 8)
    rows[:, 8] = _TIME_TAG
    for place in range(_TIME_BYTES):
        part = (times >> (7 * place)) & 0x7F
        rows[:, 9 + place] = part | (0x80 if place < _TIME_BYTES - 1 else 0)
    return rows


def _tails(values: Floats, times: Ints) -> pa.Array:
    offsets = np.arange(len(values) + 1, dtype=np.int64) * _TAIL
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(_tail_rows(values, times).tobytes())]
    return pa.Array.from_buffers(pa.large_binary(), len(values), buffers)


def _data(rows: pa.Array) -> bytes:
    """The bytes of all rows, one after the other."""
    _, offsets, data = rows.buffers()
    ends = np.frombuffer(offsets, np.int64)[rows.offset : rows.offset + len(rows) + 1]
    return bytes(memoryview(data)[int(ends[0]) : int(ends[-1])])


def samples(values: Floats, times: Ints) -> bytes:
    """The samples of one series, one after the other, as they are in its message.

    Args:
        values: of the samples; NaN keeps its bits.
        times: milliseconds, any.
    """
    if len(times) and times.min() >= EARLIEST_MS and times.max() <= LATEST_MS:
        table = np.empty((len(values), len(_SAMPLE) + _TAIL), np.uint8)
        table[:, : len(_SAMPLE)] = np.frombuffer(_SAMPLE, np.uint8)
        table[:, len(_SAMPLE) :] = _tail_rows(values, times)
        return table.tobytes()
    pairs = zip(np.ascontiguousarray(values, "<f8").view("V8"), times.tolist(), strict=True)
    return b"".join(
        delimited(2, b"\x09" + value.tobytes() + scalar(2, time)) for value, time in pairs
    )  # times outside of the years 1971 to 2109 are rare


def label(name: str, value: str) -> bytes:
    """One label of a series."""
    return delimited(1, delimited(1, name.encode()) + delimited(2, value.encode()))
