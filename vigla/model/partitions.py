"""Places on the bus: which log of records, and how far in it."""

from typing import NamedTuple


class Partition(NamedTuple):
    """One ordered log of a topic. The local bus has one for each topic, number 0."""

    topic: str
    number: int = 0


class Reach(NamedTuple):
    """A stretch of a partition whose records are all in a batch of rows.

    Attributes:
        start: the first offset of the stretch; everything before it was in the lake or in earlier rows.
        end: the first offset behind it.
    """

    start: int
    end: int
