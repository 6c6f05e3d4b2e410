"""Relabelling: see ``vigla.prometheus.relabel``."""

from typing import Any

import pytest
from pydantic import ValidationError

from vigla.prometheus.relabel import RelabelConfig, relabelled

LABELS = {"a": "foo", "b": "bar", "c": "baz", "__meta_x": "y"}


def made(**rule: Any) -> dict[str, str] | None:
    return relabelled(LABELS, [RelabelConfig.model_validate(rule)])


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        (
            {"source_labels": ["a"], "regex": "f(.*)", "target_label": "d", "replacement": "ch${1}-ch${1}"},
            {"d": "choo-choo"},
        ),
        (
            {
                "source_labels": ["a", "b"],
                "regex": "f(.*);(.*)r",
                "target_label": "a",
                "replacement": "b${1}${2}m",
            },
            {"a": "boobam"},
        ),
        ({"source_labels": ["a"], "regex": "o", "target_label": "d"}, {}),
        ({"source_labels": ["a"], "regex": "(f).*", "target_label": "$1", "replacement": "v"}, {"f": "v"}),
        ({"target_label": "a", "replacement": ""}, {"a": None}),
        ({"source_labels": ["b", "c"], "separator": "-", "target_label": "d"}, {"d": "bar-baz"}),
        ({"action": "labeldrop", "regex": "[ab]"}, {"a": None, "b": None}),
        ({"action": "labelkeep", "regex": "a|__meta_x"}, {"b": None, "c": None}),
        ({"action": "labelmap", "regex": "__meta_(.*)"}, {"x": "y"}),
        ({"action": "LabelMap", "regex": "(a|b)", "replacement": "p_$1"}, {"p_a": "foo", "p_b": "bar"}),
        ({"action": "uppercase", "source_labels": ["a", "b"], "target_label": "d"}, {"d": "FOO;BAR"}),
        ({"action": "lowercase", "source_labels": ["a"], "target_label": "d"}, {"d": "foo"}),
        (
            {
                "action": "hashmod",
                "source_labels": ["c"],
                "target_label": "d",
                "separator": ";",
                "modulus": 1000,
            },
            {"d": "976"},
        ),
    ],
)
def test_labels_change(rule: dict[str, Any], changes: dict[str, str | None]) -> None:
    expected = {name: value for name, value in {**LABELS, **changes}.items() if value is not None}
    assert made(**rule) == expected


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({"action": "keep", "source_labels": ["a"], "regex": "f.*"}, True),
        ({"action": "keep", "source_labels": ["a"], "regex": "f"}, False),
        ({"action": "drop", "source_labels": ["a"], "regex": "foo"}, False),
        ({"action": "drop", "source_labels": ["none"], "regex": ".+"}, True),
        ({"action": "keepequal", "source_labels": ["a"], "target_label": "b"}, False),
        ({"action": "dropequal", "source_labels": ["a"], "target_label": "b"}, True),
        ({"action": "keepequal", "source_labels": ["none"], "target_label": "gone"}, True),
    ],
)
def test_series_are_kept_or_dropped(rule: dict[str, Any], *, kept: bool) -> None:
    assert (made(**rule) is not None) == kept


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"regex": "("}, "error parsing regexp"),
        ({"action": "replace"}, "requires 'target_label' value"),
        ({"action": "hashmod", "target_label": "a"}, "requires non-zero modulus"),
        ({"action": "explode"}, "Input should be"),
        ({"sourcelabels": ["a"]}, "Extra inputs"),
    ],
)
def test_a_wrong_rule_is_told(rule: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        RelabelConfig.model_validate(rule)
    assert told in str(raised.value)
