"""Rule files: see ``query.rules.groups``."""

from importlib.resources import files
from pathlib import Path

import pytest

from query.rules.groups import AlertingRule, RecordingRule, RuleFileError, groups, load

FILE = """
groups:
  - name: first
    interval: 30s
    query_offset: 1m
    limit: 10
    labels: {team: mesh, tier: a}
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: {tier: b}
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1h
        annotations:
          summary: "{{ $labels.job }} is down"
  - name: second
    rules: []
"""


def test_a_file_is_read() -> None:
    first, second = groups(FILE, "f.yml", 60_000)
    assert (first.name, first.file, first.interval_ms, first.query_offset_ms) == (
        "first",
        "f.yml",
        30_000,
        60_000,
    )
    assert (first.limit, second.interval_ms, second.rules) == (10, 60_000, ())
    recording, alerting = first.rules
    assert isinstance(recording, RecordingRule)
    assert isinstance(alerting, AlertingRule)
    assert (recording.name, recording.text) == ("job:up:sum", "sum by (job) (up)")
    assert recording.labels == {"team": "mesh", "tier": "b"}
    assert (alerting.hold_ms, alerting.keep_firing_ms) == (300_000, 3_600_000)


def test_an_empty_file_has_no_groups() -> None:
    assert groups("", "f.yml", 1) == []


def rule(text: str) -> str:
    return f"groups:\n- name: g\n  rules:\n  - {{{text}}}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("groups: 3", "groups: expected a list"),
        ("group: []", "1:1: field group not found"),
        ("groups: [{name: ''}]", "Groupname must not be empty"),
        ("groups: [{name: a}, {name: a}]", 'groupname: "a" is repeated in the same file'),
        ("groups: [{name: a, limit: -1}]", "limit: -1 is no whole number"),
        ("groups: [{name: a, interval: 5}]", 'interval: not a valid duration string: "5"'),
        (rule("record: a, alert: b, expr: '1'"), "only one of 'record' and 'alert' must be set"),
        (rule("expr: '1'"), "one of 'record' or 'alert' must be set"),
        (rule("record: a"), "field 'expr' must be set in rule"),
        (
            rule("record: a, expr: 'sum('"),
            '4:5: group "g", rule 1, "a": could not parse',
        ),
        (rule("record: a, expr: 'up[5m]'"), "not a range vector"),
        (rule("record: a, expr: '1', for: 5m"), "invalid field 'for' in recording rule"),
        (rule("record: 'a{b=\"c\"}', expr: '1'"), "braces present in the recording rule name"),
        (rule("alert: a, expr: '1', labels: {__name__: b}"), "invalid label name: __name__"),
        (rule("alert: a, expr: '1', annotations: {x: '{{ foo }}'}"), 'function "foo" not defined'),
        (rule("alert: a, expr: '1', for: soon"), "for: not a valid duration"),
        ("a: [", "while parsing a flow"),
        ("- a", "expected a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(RuleFileError) as raised:
        groups(text, "f.yml", 1)
    assert told in str(raised.value)
    assert str(raised.value).startswith("f.yml: ")


def test_all_that_is_wrong_is_told() -> None:
    text = "groups:\n- name: g\n  rules:\n  - {record: a}\n  - {alert: b}\n- name: g\n- name: ''\n"
    with pytest.raises(RuleFileError) as raised:
        groups(text, "f.yml", 1)
    assert len(str(raised.value).splitlines()) == 4


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match="No such file"):
        load(tmp_path / "none.yml", 1)


def test_the_built_in_rules_parse() -> None:
    text = files("query.rules").joinpath("mesh.yml").read_text(encoding="utf-8")
    names = [each.name for group in groups(text, "mesh.yml", 1) for each in group.rules]
    assert {"MeshServiceErrors", "MeshNoProxies", "MeshCertificateExpires", "IngestLag"} <= set(names)
