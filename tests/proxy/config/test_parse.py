"""Objects are read with their places, and what is wrong is said as users can mend it."""

import pytest

from proxy.config.parse import Parsed, parse

HEAD = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata:\n  name: reviews\n"


def _said(parsed: Parsed) -> list[str]:
    return [str(problem) for problem in parsed.problems]


def test_an_unquoted_number_in_a_label_is_to_be_quoted():
    parsed = parse(
        HEAD + "spec:\n  host: reviews\n  subsets:\n  - name: v1\n    labels:\n      version: 1\n", "f.yaml"
    )

    place = "f.yaml:10: DestinationRule default/reviews: spec.subsets[0].labels.version: "
    assert _said(parsed) == [place + '1 is no string in YAML; quote it: "1"']


def test_an_unquoted_word_in_metadata_is_to_be_quoted():
    parsed = parse(HEAD + "  labels:\n    canary: yes\nspec: {host: reviews}\n", "f.yaml")

    place = "f.yaml:6: DestinationRule default/reviews: metadata.labels.canary: "
    assert _said(parsed) == [place + 'yes is no string in YAML; quote it: "yes"']


def test_items_of_a_list_have_their_own_lines():
    text = "kind: List\napiVersion: v1\nitems:\n" + "".join(
        f"- apiVersion: networking.istio.io/v1\n  kind: DestinationRule\n  metadata: {{name: {name}}}\n"
        f"  spec:\n    host: {name}\n"
        for name in "ab"
    )
    first, second = parse(text, "f.yaml").objects

    assert first.origin.line(("spec", "host")) == 8
    assert second.origin.line(("spec", "host")) == 13
    assert second.origin.line(("spec", "subsets", 0)) == 12


def test_a_key_that_is_written_twice_is_a_warning():
    parsed = parse(HEAD + "spec:\n  host: a\n  host: b\n", "f.yaml")

    assert [(w.field, w.line, w.severity) for w in parsed.warnings] == [("spec.host", 7, "warning")]
    assert parsed.problems == ()


def test_a_time_of_creation_needs_a_zone():
    parsed = parse(HEAD + "  creationTimestamp: 2026-01-31\nspec: {host: a}\n")

    assert [p.field for p in parsed.problems] == ["metadata.creationTimestamp"]


def test_text_that_is_no_yaml_names_the_line():
    parsed = parse("a: b\n  c: [", "f.yaml")

    assert parsed.problems[0].line == 2
    assert "not YAML" in parsed.problems[0].message


def test_a_spec_that_is_no_mapping_is_refused():
    assert [p.field for p in parse(HEAD + "spec: 0").problems] == ["spec"]


@pytest.mark.parametrize("field", ["name", "namespace"])
@pytest.mark.parametrize("value", ["n" * 254, '"a\\0b"'], ids=["long", "nul"])
def test_names_that_cannot_be_stored_are_refused(field: str, value: str):
    metadata = {"name": "a", "namespace": "b", field: value}
    text = (
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
        f"metadata: {{name: {metadata['name']}, namespace: {metadata['namespace']}}}\nspec: {{host: a}}\n"
    )
    (problem,) = parse(text).problems

    assert problem.field == f"metadata.{field}"
    assert "at most 253" in problem.message
