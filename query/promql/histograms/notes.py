"""What functions over histograms tell the user beside the result."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from query.promql.ast import Place
from query.promql.gotext import quote
from query.promql.histograms.numbers import general

QUANTILE_DOCS = "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile"


class Notes(Protocol):
    """Collects annotations of a query; the texts carry neither the "PromQL warning:" nor the position."""

    def warn(self, text: str, place: Place) -> None:
        """Something is wrong with the result."""

    def info(self, text: str, place: Place) -> None:
        """Something may be wrong with the result."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where in the query a series is looked at.

    Attributes:
        metric: the series' metric name; empty when it has none.
        place: the argument (functions) or operator (aggregations) the notes point at.
    """

    notes: Notes
    metric: str
    place: Place

    def not_a_counter(self) -> None:
        """A gauge histogram where a counter is expected."""
        text = f"this native histogram metric is not a counter: {quote(self.metric)}"
        self.notes.warn(text, self.place)

    def not_a_gauge(self) -> None:
        """A counter histogram where a gauge is expected."""
        self.notes.warn(f"this native histogram metric is not a gauge: {quote(self.metric)}", self.place)

    def mixed_schemas(self) -> None:
        """Exponential and custom buckets together."""
        self.notes.warn(
            self._named("vector contains a mix of histograms with exponential and custom buckets schemas"),
            self.place,
        )

    def incompatible_layout(self, operator: str) -> None:
        """Operands of a binary operator have exponential and custom buckets."""
        text = f"incompatible bucket layout encountered for binary operator {operator}"
        self.notes.warn(text, self.place)

    def mixed_floats(self) -> None:
        """Floats and histograms together."""
        self.notes.warn(self._named("encountered a mix of histograms and floats"), self.place)

    def mixed_classic(self) -> None:
        """Classic buckets and a native histogram of the same labels."""
        self.notes.warn(self._named("vector contains a mix of classic and native histograms"), self.place)

    def bad_bucket_label(self, value: str) -> None:
        """A classic bucket whose ``le`` is no number."""
        text = f'bucket label "le" is missing or has a malformed value of {quote(value)}'
        self.notes.warn(self._named(text), self.place)

    def bounds_reconciled(self, operation: Literal["addition", "subtraction", "aggregation"]) -> None:
        """Custom bounds differed and were reduced to the common ones."""
        self.notes.info(f"mismatched custom buckets were reconciled during {operation}", self.place)

    def resets_conflict(self, operation: Literal["addition", "subtraction", "aggregation"]) -> None:
        """Some operands were just reset, others were not."""
        self.notes.warn(f"conflicting counter resets during histogram {operation}", self.place)

    def forced_monotonic(self) -> None:
        """Classic buckets decreased with growing bounds."""
        text = f"input to histogram_quantile needed to be fixed for monotonicity (see {QUANTILE_DOCS})"
        self.notes.info(self._named(text), self.place)

    def nan_observations(self, effect: Literal["result is NaN", "result is skewed higher"]) -> None:
        """NaN was observed, which a quantile cannot place."""
        text = f"input to histogram_quantile has NaN observations, {effect}"
        self.notes.info(self._named(text), self.place)

    def nan_excluded(self) -> None:
        """NaN was observed, which no fraction includes."""
        text = "input to histogram_fraction has NaN observations, which are excluded from all fractions"
        self.notes.info(self._named(text), self.place)

    def _named(self, text: str) -> str:
        return f"{text} for metric name {quote(self.metric)}" if self.metric else text


def check_quantiles(notes: Notes, levels: npt.NDArray[np.float64], place: Place) -> None:
    """Warn about each level that is not between 0 and 1."""
    for wrong in np.unique(levels[~((levels >= 0) & (levels <= 1))]).tolist():
        notes.warn(f"quantile value should be between 0 and 1, got {general(wrong)}", place)
