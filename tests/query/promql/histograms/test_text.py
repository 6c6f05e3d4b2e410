"""Histograms as text and JSON, and floats as Go writes them."""

import pytest

from query.promql.histograms import numbers
from query.promql.histograms.json_form import as_json
from query.promql.histograms.text import parse_notation, to_label, to_notation
from vigla.errors import QueryError

BOTH_SIDES = "{{count:20 sum:10 z_bucket:2 z_bucket_w:0.001 buckets:[1 2] n_buckets:[1 2]}}"
CUSTOM = "{{schema:-53 count:3 sum:5 custom_values:[5 10] counter_reset_hint:gauge offset:1 buckets:[2 1]}}"


@pytest.mark.parametrize(
    "text", ["{{}}", BOTH_SIDES, CUSTOM, "{{schema:2 count:1 n_offset:-3 n_buckets:[1]}}"]
)
def test_the_notation_survives_reading(text: str):
    assert to_notation(parse_notation(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "{count:1}",
        "{{count}}",
        "{{count:1 count:2}}",
        "{{colour:1}}",
        "{{count:many}}",
        "{{custom_values:[1]}}",
    ],
)
def test_a_wrong_notation_says_so(text: str):
    with pytest.raises(QueryError):
        parse_notation(text)


def test_the_label_form_shows_bounds():
    assert (
        to_label(parse_notation(BOTH_SIDES))
        == "{count:20, sum:10, [-2,-1):2, [-1,-0.5):1, [-0.001,0.001]:2, (0.5,1]:1, (1,2]:2}"
    )
    assert to_label(parse_notation(CUSTOM)) == "{count:3, sum:5, (5,10]:2, (10,+Inf]:1}"


def test_the_json_form_gives_each_filled_bucket_a_rule():
    assert as_json(parse_notation(BOTH_SIDES)) == {
        "count": "20",
        "sum": "10",
        "buckets": [
            [1, "-2", "-1", "2"],
            [1, "-1", "-0.5", "1"],
            [3, "-0.001", "0.001", "2"],
            [0, "0.5", "1", "1"],
            [0, "1", "2", "2"],
        ],
    }
    assert as_json(parse_notation("{{}}")) == {"count": "0", "sum": "0"}


@pytest.mark.parametrize(
    ("value", "plain", "general", "api"),
    [
        (1e21, "1" + "0" * 21, "1e+21", "1e+21"),
        (1234567.5, "1234567.5", "1.2345675e+06", "1234567.5"),
        (100000.0, "100000", "100000", "100000"),
        (-0.00001, "-0.00001", "-1e-05", "-0.00001"),
        (1e-7, "0.0000001", "1e-07", "1e-07"),
        (float("inf"), "+Inf", "+Inf", "+Inf"),
        (float("nan"), "NaN", "NaN", "NaN"),
        (-0.0, "-0", "-0", "-0"),
    ],
)
def test_numbers_as_go_writes_them(value: float, plain: str, general: str, api: str):
    assert (numbers.plain(value), numbers.general(value), numbers.api(value)) == (plain, general, api)
