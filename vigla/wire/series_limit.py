"""What a request would write, as a bound on series counts it, whatever the protocol."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

REFUSED = (
    "too many series of one job in an hour: drop the label that has ever new values,"
    " or raise collector.max_series_per_source"
)


@dataclass(frozen=True, slots=True)
class Series:
    """The series of a request, S in all.

    Attributes:
        ids: int64 [S], of their labels.
        sources: int64 [S], places of their ``job`` in ``jobs``; -1: they have none.
        jobs: texts, binary.
        sizes: int64 [S], how many series of Prometheus each is: more than one for a classic histogram.
    """

    ids: Ints
    sources: Ints
    jobs: pa.BinaryArray
    sizes: Ints

    def job(self, source: int) -> str:
        """The ``job`` at a place."""
        return "" if source < 0 else self.jobs[source].as_py().decode(errors="replace")


class Limit(Protocol):
    """How many series a source may write."""

    def over(self, series: Series) -> Mask:
        """Bool [S]: which of them are refused."""


class NoLimit:
    """Takes all."""

    def over(self, series: Series) -> Mask:
        """None is refused."""
        return np.zeros(len(series.ids), np.bool_)
