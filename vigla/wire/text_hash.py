"""A 64-bit hash of many texts at once: eight bytes of all of them in one step.

Two texts that differ have the same hash as rarely as two random numbers are equal. It is no defence against
somebody who looks for such texts: who may write series may write those of others anyway.
"""

from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hashes: TypeAlias = npt.NDArray[np.uint64]

_WORD = 8
_LONG = 256  # bytes; longer ones are hashed each by itself, so that one does not hold up all
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(_WORD + 1)], np.uint64)


def hashes(texts: pa.BinaryArray) -> Hashes:
    """The same for the same bytes in every process and version of vigla.

    Args:
        texts: binary [N] without nulls.
    """
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    lengths = np.diff(ends)
    held = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if len(texts) and data else np.zeros(0, np.uint8)
    starts = ends[:-1] - (ends[0] if len(ends) else 0)
    windows = np.lib.stride_tricks.sliding_window_view(np.append(held, np.zeros(_WORD, np.uint8)), _WORD)
    made = mixed((lengths.astype(np.uint64) + np.uint64(1)) * _ODD)
    long = lengths > _LONG
    for done in range(0, int(lengths[~long].max(initial=0)), _WORD):
        active = np.flatnonzero((lengths > done) & ~long)
        words = windows[starts[active] + done].view("<u8").reshape(-1)
        words = words & _MASKS[np.minimum(lengths[active] - done, _WORD)]
        made[active] = mixed((made[active] ^ words) * _ODD)
    for place in np.flatnonzero(long).tolist():
        made[place] = int.from_bytes(blake2b(texts[place].as_py(), digest_size=8).digest(), "little")
    return made


def mixed(numbers: Hashes) -> Hashes:
    """Every bit of a number changes about half of the result's bits (the finalizer of splitmix64)."""
    some = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    some = (some ^ (some >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: Hashes = some ^ (some >> np.uint64(31))
    return result
