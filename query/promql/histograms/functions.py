"""The functions ``histogram_*`` over instant vectors of native histograms and classic buckets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from query.promql.ast import Place
from query.promql.histogram import Histogram, filled
from query.promql.histograms import classic, moments
from query.promql.histograms.classic import Block
from query.promql.histograms.layout import Bools, Floats, Rows
from query.promql.histograms.notes import Notes, Site, check_quantiles
from query.promql.histograms.numbers import general
from query.promql.histograms.quantiles import fraction
from query.promql.histograms.rows import quantiles
from query.promql.labelsets import name_of
from query.promql.matrix import Matrix
from query.promql.series import Labels

Native = Callable[[Rows, list[Histogram], Site], Floats]
"""Results for the histograms of one series at the given steps."""

Classic = Callable[[Block], tuple[Floats, Bools]]
"""Results [G, T] for a block, and which groups had to be forced monotonic."""


@dataclass(frozen=True, slots=True)
class Places:
    """Positions of the arguments: the vector, and the quantiles (empty for other functions)."""

    vector: Place
    phis: tuple[Place, ...] = ()


def histogram_quantile(phi: Floats, vector: Matrix, places: Places, notes: Notes) -> Matrix:
    """``histogram_quantile(phi, vector)``; ``phi`` float64 [T], ``places.phis`` holds its place."""
    check_quantiles(notes, phi, places.phis[0])
    return _Evaluation(
        vector,
        places.vector,
        notes,
        lambda steps, histograms, site: quantiles(phi[steps], histograms, site),
        lambda block: classic.quantiles(phi[block.columns], block),
    ).result()


def histogram_quantiles(
    vector: Matrix, label: str, phis: Sequence[Floats], places: Places, notes: Notes
) -> Matrix:
    """``histogram_quantiles(vector, label, phi, ...)``: one series for each phi, its value in ``label``.

    Args:
        vector: native histograms or classic buckets.
        label: name of the added label.
        phis: each float64 [T]; the label has the value at the first step.
        places: of the vector and of each phi.
        notes: of the query.
    """
    parts = []
    for phi, place in zip(phis, places.phis, strict=True):
        part = histogram_quantile(phi, vector, Places(places.vector, (place,)), notes)
        value = general(float(phi[0])) if len(phi) else ""
        parts.append(
            Matrix(
                [_with_label(labels, label, value) for labels in part.labels],
                part.values,
                part.present,
                None,
                part.drop_name,
            )
        )
    return Matrix(
        [labels for part in parts for labels in part.labels],
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.present for part in parts]),
        None,
        np.concatenate([part.drop_name for part in parts]),
    )


def _with_label(labels: Labels, name: str, value: str) -> Labels:
    return tuple(sorted([pair for pair in labels if pair[0] != name] + [(name, value)]))


def histogram_fraction(lower: Floats, upper: Floats, vector: Matrix, places: Places, notes: Notes) -> Matrix:
    """``histogram_fraction(lower, upper, vector)``; the limits are float64 [T]."""

    def native(steps: Rows, histograms: list[Histogram], site: Site) -> Floats:
        limits = zip(lower[steps].tolist(), upper[steps].tolist(), histograms, strict=True)
        return np.array([fraction(low, high, histogram, site) for low, high, histogram in limits])

    def shares(block: Block) -> tuple[Floats, Bools]:
        result = classic.fractions(lower[block.columns], upper[block.columns], block)
        return result, np.zeros(len(block.groups), bool)

    return _Evaluation(vector, places.vector, notes, native, shares).result()


def histogram_count(vector: Matrix) -> Matrix:
    """Count of observations of each native histogram; floats are left out."""
    return _each(vector, lambda histogram: histogram.count)


def histogram_sum(vector: Matrix) -> Matrix:
    """Sum of observations of each native histogram; floats are left out."""
    return _each(vector, lambda histogram: histogram.sum)


def histogram_avg(vector: Matrix) -> Matrix:
    """Mean of observations of each native histogram; floats are left out."""
    return _each(vector, moments.mean)


def histogram_stddev(vector: Matrix) -> Matrix:
    """Estimated standard deviation of each native histogram; floats are left out."""
    return _each(vector, lambda histogram: float(np.sqrt(moments.variance(histogram))))


def histogram_stdvar(vector: Matrix) -> Matrix:
    """Estimated variance of each native histogram; floats are left out."""
    return _each(vector, moments.variance)


def _each(vector: Matrix, measure: Callable[[Histogram], float]) -> Matrix:
    native = _native_mask(vector)
    rows = np.flatnonzero(native.any(axis=1))
    values = np.full((len(rows), native.shape[1]), np.nan)
    if vector.histograms is not None:
        for place, row in enumerate(rows):
            for step in np.flatnonzero(native[row]):
                values[place, step] = measure(vector.histograms[row, step])
    labels = [vector.labels[row] for row in rows]
    return Matrix(labels, values, native[rows], None, np.ones(len(rows), bool))


def _native_mask(vector: Matrix) -> Bools:
    if vector.histograms is None:
        return np.zeros(vector.present.shape, bool)
    return np.asarray(vector.present & filled(vector.histograms), np.bool_)


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """A function that reads both kinds of histograms."""

    vector: Matrix
    place: Place
    notes: Notes
    on_native: Native
    on_classic: Classic

    def result(self) -> Matrix:
        vector = self.vector
        native = _native_mask(vector)
        buckets = vector.present & ~native
        grouping = classic.group_buckets(vector, buckets)
        for row in grouping.malformed:
            labels = vector.labels[row]
            self._site(labels).bad_bucket_label(dict(labels).get(classic.BUCKET_LABEL, ""))
        rows = {group.labels: index for index, group in enumerate(grouping.groups)}
        sources = np.flatnonzero(native.any(axis=1))
        for source in sources:
            rows.setdefault(vector.labels[source], len(rows))
        values = np.full((len(rows), native.shape[1]), np.nan)
        present = np.zeros(values.shape, bool)
        for block in classic.blocks(grouping.groups, vector.values, buckets):
            self._fill_block(block, grouping.groups, values, buckets, present)
        for source in sources:
            row = rows[vector.labels[source]]
            self._fill_native(int(source), native[source], values[row], present[row])
        return Matrix(list(rows), values, present, None, np.ones(len(rows), bool))

    def _fill_block(
        self, block: Block, groups: list[classic.Group], values: Floats, buckets: Bools, present: Bools
    ) -> None:
        results, forced = self.on_classic(block)
        there = buckets[np.array([groups[index].rows for index in block.groups])].any(axis=1)
        target = np.ix_(block.groups, block.columns)
        shown = there[:, block.columns]
        present[target] |= shown
        values[target] = results
        for index in block.groups[forced]:
            self._site(groups[index].labels).forced_monotonic()

    def _fill_native(self, source: int, steps: Bools, values: Floats, present: Bools) -> None:
        """Results of one series of native histograms; classic buckets at the same step rule both out."""
        histograms = self.vector.histograms
        if histograms is None:
            return
        site = self._site(self.vector.labels[source])
        both = steps & present
        if both.any():
            site.mixed_classic()
            present[both] = False
        alone = np.flatnonzero(steps & ~both)
        values[alone] = self.on_native(alone, histograms[source, alone].tolist(), site)
        present[alone] = True

    def _site(self, labels: Labels) -> Site:
        return Site(self.notes, name_of(labels), self.place)
