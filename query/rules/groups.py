"""Rule files: groups of recording and alerting rules.

Source: Prometheus, "Defining recording rules" and "Alerting rules"; error texts as ``promtool check rules``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from query.promql.ast import Expr
from query.promql.errors import PromqlError
from query.promql.parser import parse
from query.promql.types import type_of
from query.rules.template import parser as template
from query.rules.template.ast import TemplateError
from vigla.errors import BadInput
from vigla.prometheus.durations import parse_duration
from vigla.prometheus.yaml_reader import Reader, YamlError, read

_GROUP = ("name", "interval", "query_offset", "limit", "labels", "rules")
_RULE = ("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations")
_ALERTING_ONLY = ("annotations", "for", "keep_firing_for")


class RuleFileError(BadInput):
    """A rule file that cannot be used; each line of the message names file, line and column."""


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """``record``: series made of an expression.

    Attributes:
        name: of the series.
        expr: as parsed.
        text: of the expression as written.
        labels: set on each series; an empty value removes one.
    """

    name: str
    expr: Expr
    text: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """``alert``: one alert for each element of an expression.

    Attributes:
        name, expr, text: as ``RecordingRule``.
        labels, annotations: templates.
        hold_ms: how long an alert is pending before it fires.
        keep_firing_ms: how long it fires on after its element went.
    """

    name: str
    expr: Expr
    text: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    hold_ms: int
    keep_firing_ms: int


Rule: TypeAlias = RecordingRule | AlertingRule


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other, at the same time.

    Attributes:
        name, file: the two together are unique.
        interval_ms: between evaluations.
        query_offset_ms: how far before its time a rule is evaluated.
        limit: more series or alerts of one rule fail it; 0: no limit.
        rules: in their order.
    """

    name: str
    file: str
    interval_ms: int
    query_offset_ms: int
    limit: int
    rules: tuple[Rule, ...]


def load(path: Path, interval_ms: int) -> list[Group]:
    """The groups of a file.

    Args:
        path: of the file.
        interval_ms: of groups that name none.

    Raises:
        RuleFileError: the file cannot be read, or anything in it is wrong; all of it is told.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleFileError(f"{path}: {error}") from error
    return groups(text, str(path), interval_ms)


def groups(text: str, file: str, interval_ms: int) -> list[Group]:
    """The groups in the text of a file; see ``load``."""
    problems: list[str] = []
    found: list[Group] = []
    try:
        whole = read(text)
        whole.only("groups")
        for group in whole.items("groups"):
            try:
                found.append(_group(group, file, interval_ms, problems))
            except YamlError as error:
                problems.append(str(error))
            problems += _repeated(group, found)
    except (YamlError, yaml.YAMLError) as error:
        problems.append(" ".join(str(error).split()))
    if problems:
        raise RuleFileError("\n".join(f"{file}: {problem}" for problem in problems))
    return found


def _repeated(group: Reader, found: list[Group]) -> Iterator[str]:
    names = [each.name for each in found]
    if names and names[-1] in names[:-1]:
        found.pop()
        yield f'{group.place}: groupname: "{names[-1]}" is repeated in the same file'


def _group(group: Reader, file: str, interval_ms: int, problems: list[str]) -> Group:
    group.only(*_GROUP)
    name = group.text("name")
    if not name:
        raise YamlError(f"{group.place}: Groupname must not be empty")
    labels = group.texts("labels")
    rules = []
    for number, entry in enumerate(group.items("rules"), 1):
        shown = entry.text("record") or entry.text("alert")
        try:
            rules.append(_with_labels(_rule(entry), labels))
        except YamlError as error:
            problems.append(str(error))
        except (PromqlError, TemplateError, ValueError) as error:
            problems.append(f'{entry.place}: group "{name}", rule {number}, "{shown}": {error}')
    return Group(
        name,
        file,
        _duration(group, "interval") or interval_ms,
        _duration(group, "query_offset"),
        group.number("limit"),
        tuple(rules),
    )


def _rule(entry: Reader) -> Rule:
    entry.only(*_RULE)
    record, alert, text = entry.text("record"), entry.text("alert"), entry.text("expr")
    if record and alert:
        raise ValueError("only one of 'record' and 'alert' must be set")
    if not record and not alert:
        raise ValueError("one of 'record' or 'alert' must be set")
    if not text:
        raise ValueError("field 'expr' must be set in rule")
    expr = _expression(text)
    labels = entry.texts("labels")
    for label in labels:
        if not label or label == "__name__":
            raise ValueError(f"invalid label name: {label}")
    if record:
        return _recording(entry, record, expr, labels)
    annotations = entry.texts("annotations")
    for value in (*labels.values(), *annotations.values()):
        template.parse(value)
    hold, keep = _duration(entry, "for"), _duration(entry, "keep_firing_for")
    return AlertingRule(alert, expr, text, labels, annotations, hold, keep)


def _recording(entry: Reader, name: str, expr: Expr, labels: Mapping[str, str]) -> RecordingRule:
    for field in _ALERTING_ONLY:
        if entry.has(field):
            raise ValueError(f"invalid field '{field}' in recording rule")
    if any(brace in name for brace in "{}"):
        raise ValueError(f"braces present in the recording rule name; should it be in expr?: {name}")
    return RecordingRule(name, expr, entry.text("expr"), labels)


def _expression(text: str) -> Expr:
    try:
        expr = parse(text)
    except PromqlError as error:
        raise ValueError(f"could not parse expression: {error}") from error
    if (kind := type_of(expr)) in {"matrix", "string"}:
        shown = "range vector" if kind == "matrix" else kind
        raise ValueError(f"a rule needs an instant vector or a scalar, not a {shown}: {text}")
    return expr


def _with_labels(rule: Rule, labels: Mapping[str, str]) -> Rule:
    """With the labels of its group, which its own override."""
    return replace(rule, labels={**labels, **rule.labels})


def _duration(entry: Reader, name: str) -> int:
    text = entry.text(name)
    try:
        return parse_duration(text) if text else 0
    except ValueError as error:
        raise YamlError(f"{entry.place}: {name}: {error}") from error


def described(rule: Rule) -> dict[str, Any]:
    """What the rule says, as ``promtool`` prints it."""
    kind = "record" if isinstance(rule, RecordingRule) else "alert"
    return {kind: rule.name, "expr": rule.text}
