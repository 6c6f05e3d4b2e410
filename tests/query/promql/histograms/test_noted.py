"""Operators and aggregations tell what went wrong."""

import pytest

from query.promql.ast import Place
from query.promql.histogram import Histogram
from query.promql.histograms.noted import aggregate, minus, plus
from query.promql.histograms.notes import Site
from query.promql.histograms.text import parse_notation, to_notation


class Collected:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def warn(self, text: str, _place: Place) -> None:
        self.texts.append(f"warn {text}")

    def info(self, text: str, _place: Place) -> None:
        self.texts.append(f"info {text}")


EXPONENTIAL, CUSTOM, WIDER = (
    parse_notation(text)
    for text in (
        "{{count:1 buckets:[1]}}",
        "{{schema:-53 sum:1 count:1 custom_values:[5] buckets:[1]}}",
        "{{schema:-53 sum:1 count:1 custom_values:[5 10] buckets:[1]}}",
    )
)
MIXED = "warn vector contains a mix of histograms with exponential and custom buckets schemas"


@pytest.mark.parametrize(
    ("left", "right", "shown", "told"),
    [
        (EXPONENTIAL, CUSTOM, None, "warn incompatible bucket layout encountered for binary operator +"),
        (
            CUSTOM,
            WIDER,
            "{{schema:-53 count:2 sum:2 custom_values:[5] buckets:[2]}}",
            "info mismatched custom buckets were reconciled during addition",
        ),
    ],
)
def test_an_addition_tells_of_other_layouts(left: Histogram, right: Histogram, shown: str | None, told: str):
    notes = Collected()
    result = plus(left, right, Site(notes, "h", Place(0, 1)))
    assert (None if result is None else to_notation(result)) == shown
    assert notes.texts == [told]


def test_a_subtraction_reconciles_bounds():
    notes = Collected()
    result = minus(CUSTOM, WIDER, Site(notes, "h", Place(0, 1)))
    assert result is not None
    assert to_notation(result) == "{{schema:-53 custom_values:[5] counter_reset_hint:gauge}}"
    assert notes.texts == ["info mismatched custom buckets were reconciled during subtraction"]


def test_an_aggregation_of_two_kinds_gives_nothing():
    notes = Collected()
    assert aggregate([EXPONENTIAL, CUSTOM], Site(notes, "h", Place(0, 1)), mean=False) is None
    assert notes.texts == [f'{MIXED} for metric name "h"']


def test_an_aggregation_tells_of_conflicting_resets_even_beside_a_gauge():
    notes = Collected()
    hints = ("gauge", "not_reset", "reset")
    histograms = [parse_notation(f"{{{{count:3 sum:3 counter_reset_hint:{hint}}}}}") for hint in hints]
    result = aggregate(histograms, Site(notes, "", Place(0, 1)), mean=True)
    assert result is not None
    assert to_notation(result) == "{{count:3 sum:3 counter_reset_hint:gauge}}"
    assert notes.texts == ["warn conflicting counter resets during histogram aggregation"]
