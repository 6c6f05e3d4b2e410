"""What range functions tell the user beside the result, where ``histograms.notes`` does not know it yet."""

from dataclasses import dataclass, field

from query.promql.ast import Place
from query.promql.gotext import quote
from query.promql.histograms.notes import Notes
from query.promql.labelsets import name_of
from query.promql.series import Labels

COUNTER_SUFFIXES = ("_total", "_sum", "_count", "_bucket")


class ArgumentError(ValueError):
    """A parameter is outside the function's domain; the query fails."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Annotations as (level, text, place), each once and in the order they came; a ``Notes``."""

    notes: dict[tuple[str, str, Place], None] = field(default_factory=dict)

    def warn(self, text: str, place: Place) -> None:
        """Something is wrong with the result."""
        self.notes["warning", text, place] = None

    def info(self, text: str, place: Place) -> None:
        """Something may be wrong with the result."""
        self.notes["info", text, place] = None


def name_is_no_counter(notes: Notes, labels: Labels, place: Place) -> None:
    """Inform about a counter function over a metric that is not named like a counter."""
    name = name_of(labels)
    if name and not name.endswith(COUNTER_SUFFIXES):
        text = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"
        notes.info(f"{text} {quote(name)}", place)


def histograms_ignored(notes: Notes, labels: Labels, place: Place) -> None:
    """Inform that a function of floats left out the histograms of a mixed range."""
    text = "ignored histograms in a range containing both floats and histograms"
    name = name_of(labels)
    notes.info(f"{text} for metric name {quote(name)}" if name else text, place)


def start_overlaps(notes: Notes, labels: Labels, place: Place) -> None:
    """Warn about a counter that claims to have begun before the sample before it."""
    text = "sample has start time that overlaps with previous sample timestamp for metric"
    notes.warn(f"{text} {quote(name_of(labels))}", place)
