"""The engine's values: many series over all steps of a query at once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from query.promql.series import Labels, SeriesBatch


@dataclass(frozen=True, slots=True)
class Steps:
    """Evaluation times ``start, start + interval, ...``: T in all; an instant query has one.

    Attributes:
        times: int64 [T], milliseconds since the epoch.
        interval: milliseconds between two steps; 0 for an instant query.
    """

    times: npt.NDArray[np.int64]
    interval: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """An instant vector at each of T steps, of S series.

    Attributes:
        labels: S label sets. With ``drop_name`` applied, each once (the engine checks it at the end).
        values: float64 [S, T]; meaningless where not ``present``, NaN where the element is a histogram.
        present: bool [S, T]; a NaN value can be present.
        histograms: object [S, T], ``Histogram`` or None; None when no element is a histogram.
        drop_name: bool [S]; the metric name (and type and unit) is removed at the end of the query
            (delayed name removal).
    """

    labels: list[Labels]
    values: npt.NDArray[np.float64]
    present: npt.NDArray[np.bool_]
    histograms: npt.NDArray[np.object_] | None
    drop_name: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Windows:
    """The samples of a range selector at each step.

    Of series ``s`` at step ``t`` these are the samples ``first[s, t]:last[s, t]`` of ``batch``. Stale markers
    are already taken out of ``batch``.

    Attributes:
        batch: samples of S series.
        first, last: int64 [S, T], half-open, indices into the columns of ``batch``.
        starts, ends: int64 [T], bounds of the windows in milliseconds; a sample has ``start < time <= end``.
    """

    batch: SeriesBatch
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
