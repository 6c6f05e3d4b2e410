"""The answer with samples: ``prometheus.ReadResponse``."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from vigla.wire.fields import delimited
from vigla.wire.remote_write import envelope, rows
from vigla.wire.remote_write.encode import NativeHistogram, histogram_field

Labels = Sequence[tuple[str, str]]


def series(
    labels: Labels,
    times: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    histograms: Iterable[tuple[int, NativeHistogram]] = (),
) -> bytes:
    """One ``TimeSeries``.

    Args:
        labels: sorted.
        times: int64 [N], milliseconds.
        values: float64 [N].
        histograms: native histograms by their times, which ``times`` has not.
    """
    own = b"".join(rows.label(name, value) for name, value in labels)
    native = b"".join(histogram_field(histogram, ts_ms) for ts_ms, histogram in histograms)
    return own + rows.samples(values, times) + native


def response(results: Iterable[Iterable[bytes]]) -> bytes:
    """A compressed answer.

    Args:
        results: for each query its series, from ``series``.
    """
    return envelope.compress(
        b"".join(delimited(1, b"".join(delimited(1, each) for each in result)) for result in results)
    )
