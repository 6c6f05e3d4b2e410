"""Chunks of Prometheus' XOR encoding, from columns: every bit of many chunks is placed at once.

Source: ``tsdb/docs/format/chunks.md`` of Prometheus (XOR chunk data). A chunk begins with its number of
samples; the first has time and value in full, the second the difference of times, later ones the difference
of differences; a value is its exclusive or with the one before. A decoder accepts a new window of meaningful
bits with any value, so that no value's bits depend on an earlier window.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vigla.wire.fields import varint

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

SAMPLES = 120
"""Of one chunk, as Prometheus makes them."""

_DOD_SIZES = ((14, 0b10, 2), (17, 0b110, 3), (20, 0b1110, 4))  # bits of the number; prefix and its bits
_MOST_LEADING = 31


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples of one series."""

    first_ms: int
    last_ms: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Codes:
    """Bit strings by their order in the stream: ``sizes`` bits each, of the lowest of ``words``."""

    words: Words
    sizes: Ints


def chunks(times: Ints, values: Floats) -> Iterator[Chunk]:
    """A series in chunks.

    Args:
        times: int64 [N], milliseconds, ascending.
        values: float64 [N]; NaN keeps its bits.
    """
    bits = np.ascontiguousarray(values).view(np.uint64)
    codes = _codes(times, bits)
    for begin in range(0, len(times), SAMPLES):
        end = min(begin + SAMPLES, len(times))
        yield Chunk(
            int(times[begin]), int(times[end - 1]), _chunk(times[begin:end], bits[begin:end], codes, begin)
        )


def _chunk(times: Ints, bits: Words, codes: tuple[_Codes, _Codes], begin: int) -> bytes:
    head = len(times).to_bytes(2, "big") + varint(_zigzag(int(times[0]))) + int(bits[0]).to_bytes(8, "big")
    if len(times) == 1:
        return head
    of_times, of_values = codes
    own = slice(begin + 1, begin + len(times))
    words = np.concatenate([of_times.words[own], of_values.words[own]], axis=1).reshape(-1)
    sizes = np.concatenate([of_times.sizes[own], of_values.sizes[own]], axis=1).reshape(-1)
    sizes[: of_times.sizes.shape[1]] = 0  # the second sample's time is no difference of differences
    return head + varint(int(times[1] - times[0])) + _packed(_Codes(words, sizes))


def _zigzag(number: int) -> int:
    """As Go's ``binary.PutVarint`` writes a signed number."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def _codes(times: Ints, bits: Words) -> tuple[_Codes, _Codes]:
    """Of each sample its codes for time and value: [N, 2] and [N, 2], prefix and number."""
    dods = np.diff(times, n=2, prepend=times[:1].repeat(2)) if len(times) else times
    return _of_dods(dods), _of_xors(bits ^ np.concatenate([bits[:1], bits[:-1]]))


def _of_dods(dods: Ints) -> _Codes:
    prefixes = np.full(len(dods), 0b1111, np.uint64)
    prefix_sizes = np.full(len(dods), 4, np.int64)
    sizes = np.full(len(dods), 64, np.int64)
    for size, prefix, prefix_size in reversed(_DOD_SIZES):
        fits = (-(1 << (size - 1)) < dods) & (dods <= 1 << (size - 1))
        prefixes[fits], prefix_sizes[fits], sizes[fits] = prefix, prefix_size, size
    same = dods == 0
    prefixes[same], prefix_sizes[same], sizes[same] = 0, 1, 0
    return _Codes(np.stack([prefixes, dods.view(np.uint64)], axis=1), np.stack([prefix_sizes, sizes], axis=1))


def _of_xors(xors: Words) -> _Codes:
    """``0`` for no change; else ``11``, 5 bits of leading zeros, 6 bits of size (64 as 0), the rest."""
    leading = np.minimum(64 - _bit_length(xors), _MOST_LEADING)
    lowest = xors & (~xors + np.uint64(1))
    trailing = _bit_length(lowest) - 1
    sizes = np.where(xors == 0, 0, 64 - leading - trailing)
    heads = (0b11 << 11) | (leading << 6) | (sizes & 63)
    words = xors >> np.maximum(trailing, 0).astype(np.uint64)
    same = xors == 0
    return _Codes(
        np.stack([np.where(same, 0, heads).astype(np.uint64), words], axis=1),
        np.stack([np.where(same, 1, 13), sizes], axis=1),
    )


def _bit_length(words: Words) -> Ints:
    """Of each word; 0 for 0. In two halves, as a float64 has 53 bits."""
    high, low = (
        (words >> np.uint64(32)).astype(np.float64),
        (words & np.uint64(0xFFFF_FFFF)).astype(np.float64),
    )
    of_high, of_low = np.frexp(high)[1], np.frexp(low)[1]
    return np.where(of_high > 0, of_high + 32, of_low).astype(np.int64)


def _packed(codes: _Codes) -> bytes:
    """All bit strings one after the other, filled up with zeros to a byte."""
    ends = np.cumsum(codes.sizes)
    of_bit = np.repeat(np.arange(len(codes.sizes)), codes.sizes)
    place = ends[of_bit] - np.arange(len(of_bit)) - 1
    bits = (codes.words[of_bit] >> place.astype(np.uint64)) & np.uint64(1)
    return np.packbits(bits.astype(np.uint8)).tobytes()
