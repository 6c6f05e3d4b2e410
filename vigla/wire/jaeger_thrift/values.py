"""What both of Thrift's protocols are read into, and the bytes that are left to read."""

from typing import NamedTuple, TypeAlias

from vigla.errors import BadInput

Value: TypeAlias = "bool | int | float | bytes | list[Value] | Struct"
Struct: TypeAlias = dict[int, Value]
"""Value by field number."""

MAX_DEPTH = 32
"""Structs and lists within each other; Jaeger's need six."""


class Call(NamedTuple):
    """A message: the method that it calls, and its arguments by number."""

    method: str
    arguments: Struct


class Cursor:
    """A place in a datagram.

    Attributes:
        position: bytes that were read.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def take(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            BadInput: fewer are left.
        """
        end = self.position + size
        if size < 0 or end > len(self._data):
            raise BadInput(f"{size} bytes wanted at byte {self.position} of {len(self._data)}")
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def byte(self) -> int:
        """The next byte, unsigned."""
        return self.take(1)[0]

    def count(self, number: int) -> int:
        """A number of elements, each of which takes a byte or more.

        Raises:
            BadInput: more than bytes are left.
        """
        if not 0 <= number <= len(self._data) - self.position:
            raise BadInput(f"a list of {number} elements at byte {self.position} of {len(self._data)}")
        return number


def deeper(depth: int) -> int:
    """The next level.

    Raises:
        BadInput: there are too many.
    """
    if depth >= MAX_DEPTH:
        raise BadInput(f"nested deeper than {MAX_DEPTH} levels")
    return depth + 1
