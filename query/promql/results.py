"""What a query gives, as columns."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from query.promql.matrix import Matrix


@dataclass(frozen=True, slots=True)
class Scalars:
    """A number at each step.

    Attributes:
        times: int64 [T], milliseconds.
        values: float64 [T].
    """

    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Text:
    """A string at one time (milliseconds)."""

    time: int
    value: str


@dataclass(frozen=True, slots=True)
class Vector:
    """Elements at one time (milliseconds), in order; ``matrix`` has one step, and all is present."""

    time: int
    matrix: Matrix


@dataclass(frozen=True, slots=True)
class Series:
    """Series over time, sorted by labels where the query is over a range.

    Attributes:
        times: int64 [T], milliseconds, of the columns of ``matrix``.
        matrix: each series is present at least once.
    """

    times: npt.NDArray[np.int64]
    matrix: Matrix


Value = Scalars | Text | Vector | Series


@dataclass(frozen=True, slots=True)
class Result:
    """A value with what the user should know about it.

    Attributes:
        value: of the query.
        warnings, infos: as Prometheus words them, with line and column; each once.
        samples: that were read.
    """

    value: Value
    warnings: tuple[str, ...]
    infos: tuple[str, ...]
    samples: int
