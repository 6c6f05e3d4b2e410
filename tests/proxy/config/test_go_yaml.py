"""Plain YAML values get the types that Go's reader gives them."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.go_yaml import TooLargeError, documents
from proxy.config.parse import parse


def _value(text: str) -> object:
    return next(iter(documents(text))).value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("y", True),
        ("on", True),
        ("No", False),
        ("~", None),
        ("010", 8),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("08", 8.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"),
        ("'on'", "on"),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("=", "="),
        ("1.2.3", "1.2.3"),
        ("5s", "5s"),
    ],
)
def test_a_plain_value_has_gos_type(text: str, value: object):
    assert _value(f"- {text}\n- x")[0] == value  # type: ignore[index]


def test_a_flow_list_takes_values_that_end_in_colons():
    assert _value("addresses: [1.2.3.4, 001:db8::]\nnext: {a: fe80::}") == {
        "addresses": ["1.2.3.4", "001:db8::"],
        "next": {"a": "fe80::"},
    }


def test_numbers_as_keys_become_text():
    assert _value("80: a\ntrue: b") == {"80": "a", "true": "b"}


def test_merged_mappings_give_way_to_own_keys():
    text = "x: &x {a: 1, b: 2}\nz:\n  <<: *x\n  a: 3"

    assert _value(text) == {"x": {"a": 1, "b": 2}, "z": {"a": 3, "b": 2}}


def test_repeated_keys_are_noted_and_the_last_counts():
    document = next(iter(documents("a: {b: 1, b: 2}")))

    assert document.value == {"a": {"b": 2}}
    assert document.repeated == [("a", "b")]


def test_aliases_of_aliases_are_refused_before_they_fill_the_memory():
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]

    with pytest.raises(TooLargeError):
        list(documents("\n".join(lines)))


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 5_000, "&a [*a]"])
def test_depth_without_end_is_refused(text: str):
    with pytest.raises((TooLargeError, yaml.YAMLError)):
        list(documents(text))


_BITS = st.sampled_from(
    [
        *("kind: ", "apiVersion: networking.istio.io/v1\n", "metadata:\n  name: ", "spec: ", "List"),
        *(
            "Gateway",
            "- ",
            "[",
            "]",
            "{",
            "}",
            ": ",
            "? ",
            "\n",
            "  ",
            "&a ",
            "*a",
            "<<: ",
            "!!int ",
            "items:",
            "---\n",
        ),
        *("'", '"', "#", "%", "\t", "~", "0o", "1e9999999", "9" * 500, "é", "\x00", "\ud800", "| ", "> "),
    ]
)


@given(st.one_of(st.text(), st.lists(_BITS).map("".join)))
def test_no_text_makes_parse_raise(text: str):
    parsed = parse(text, "f.yaml")

    assert all(problem.message for problem in parsed.problems)
