"""Arrow buffers as NumPy arrays, without copies."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vigla.errors import BadInput


def offsets_of(array: pa.Array) -> npt.NDArray[np.int32]:
    """Offsets of a list, string or binary array, ``len(array) + 1`` of them."""
    buffer = array.buffers()[1]
    if buffer is None or not buffer.size:
        return np.zeros(1, np.int32)
    return np.frombuffer(buffer, np.int32, len(array) + 1, array.offset * 4)


def values_of(array: pa.Array) -> npt.NDArray[np.uint8]:
    """The bytes of a string or binary array."""
    buffer = array.buffers()[2]
    if buffer is None:
        return np.zeros(0, np.uint8)
    offsets = offsets_of(array)
    return np.frombuffer(buffer, np.uint8)[offsets[0] : offsets[-1]]


def owners_of(lists: pa.ListArray) -> npt.NDArray[np.int64]:
    """Row of each element of ``lists.flatten()``."""
    return np.repeat(np.arange(len(lists)), np.diff(offsets_of(lists)))


def have_width(ids: pa.BinaryArray, width: int) -> bool:
    """Whether each id has this many bytes or none."""
    lengths = np.diff(offsets_of(ids))
    return bool(((lengths == width) | (lengths == 0)).all())


def ids_of(array: pa.BinaryArray, width: int) -> npt.NDArray[np.uint8]:
    """Ids as bytes, shape (rows, width); an empty id reads as zeros.

    Raises:
        BadInput: an id of another length.
    """
    if not have_width(array, width):
        raise BadInput(f"an id is not {width} bytes long")
    full = np.diff(offsets_of(array)) == width
    if full.all():
        return values_of(array).reshape(-1, width)
    ids = np.zeros((len(array), width), np.uint8)
    ids[full] = values_of(array).reshape(-1, width)
    return ids


def signed_ids(array: pa.BinaryArray) -> pa.Int64Array:
    """Ids of eight bytes read big-endian as signed integers; an empty id is 0.

    Raises:
        BadInput: an id of another length.
    """
    ids = np.ascontiguousarray(ids_of(array, 8))
    return pa.array(ids.view(">i8").ravel().astype(np.int64))
