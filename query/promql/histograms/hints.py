"""Counter reset hints: how they combine, and how a store derives them from the samples."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from query.promql.histogram import Histogram, ResetHint
from query.promql.histograms.resets import detect_reset


def combined(hints: Iterable[ResetHint]) -> tuple[ResetHint, bool]:
    """Hint of a sum, and whether resets conflict (some say reset, some not): worth a warning."""
    kinds = set(hints)
    conflict = {"reset", "not_reset"} <= kinds
    if "gauge" in kinds:
        return "gauge", conflict
    if len(kinds) == 1:
        return kinds.pop(), conflict
    return "unknown", conflict


def as_stored(samples: Sequence[Histogram]) -> list[Histogram]:
    """Hints as Prometheus' store gives them back for the samples of one series.

    A chunk holds samples of one layout without a reset between them; its first one is "unknown", the others
    are "not_reset".
    """
    stored: list[Histogram] = []
    for index, sample in enumerate(samples):
        hint: ResetHint = "unknown"
        if sample.hint == "gauge":
            hint = "gauge"
        elif index and _same_chunk(samples[index - 1], sample):
            hint = "not_reset"
        stored.append(replace(sample, hint=hint))
    return stored


def _same_chunk(before: Histogram, after: Histogram) -> bool:
    same_layout = (
        before.schema == after.schema
        and before.zero_threshold == after.zero_threshold
        and before.bounds == after.bounds
    )
    return same_layout and before.hint != "gauge" and not detect_reset(before, after)


def as_detected(samples: Sequence[Histogram]) -> list[Histogram]:
    """Fill unknown hints by comparing neighbours.

    Prometheus reads the series below ``histogram_count``, ``histogram_sum`` and ``histogram_avg`` this way.
    """
    detected = list(samples)
    for index, sample in enumerate(samples):
        if index and sample.hint == "unknown":
            hint: ResetHint = "reset" if detect_reset(samples[index - 1], sample) else "not_reset"
            detected[index] = replace(sample, hint=hint)
    return detected
