"""Tests of rules: evaluates rule files over written series, and compares."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from query.promql.engine import Engine
from query.promql.histogram import Histogram
from query.promql.histograms.layout import compact
from query.promql.histograms.text import to_notation
from query.promql.labelsets import NAME, shown
from query.promql.memory import MemorySeries
from query.promql.results import Scalars, Vector
from query.promql.series import Labels
from query.rules import evaluation
from query.rules.evaluation import GroupState, Made, Surroundings
from query.rules.groups import load
from query.rules.unit_test_files import AlertCheck, ExpressionCheck, Suite, Test, read_suite
from vigla.errors import ViglaError
from vigla.prometheus.durations import format_duration
from vigla.storage.api import Stop

FUZZ = 1e-9


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one test of a file; ``failures`` say what was expected and what came, empty when it passed."""

    name: str
    failures: tuple[str, ...]


def run(path: Path) -> Iterator[Outcome]:
    """Run the tests of a file, one after the other.

    Args:
        path: of the file; rule files are found relative to it.

    Raises:
        TestFileError: the file is wrong.
        RuleFileError: a rule file is.
    """
    suite = read_suite(path)
    for test in suite.tests:
        yield Outcome(test.name, tuple(_failures(suite, test)))


def _failures(suite: Suite, test: Test) -> Iterator[str]:
    groups = [group for file in suite.files for group in load(file, suite.interval_ms)]
    groups.sort(key=lambda group: _position(suite.order, group.name))
    states = [evaluation.fresh(group) for group in groups]
    around = Surroundings(Engine(), test.series, test.external_labels, test.external_url)
    times = [check.at_ms for check in test.alerts] + [check.at_ms for check in test.expressions]
    last = max(times, default=0)
    for now in range(0, last + 1, suite.interval_ms):
        for state in states:
            made = evaluation.evaluate(state, around, now, Stop())
            _keep(test.series, made, now)
            yield from (
                f"rule {rule.rule.name}, time {format_duration(now)}: {rule.error}"
                for rule in state.rules
                if rule.health == "err"
            )
        for check in test.alerts:
            if now <= check.at_ms < now + suite.interval_ms:
                yield from _alert_failures(check, states)
    for expression in test.expressions:
        yield from _expression_failures(expression, around, fuzzy=suite.fuzzy)


def _position(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _keep(series: MemorySeries, made: Sequence[Made], now: int) -> None:
    for labels, value in made:
        series.append(labels, now, value)


def _alert_failures(check: AlertCheck, states: Sequence[GroupState]) -> Iterator[str]:
    rules = [rule for state in states for rule in state.rules if rule.rule.name == check.name and rule.alerts]
    got = sorted(
        (alert.labels, tuple(sorted(alert.annotations.items())))
        for rule in rules
        if rule.alerts
        for alert in rule.alerts.active
        if alert.state == "firing"
    )
    if got != list(check.expected):
        where = f"alertname: {check.name}, time: {format_duration(check.at_ms)}"
        yield _difference(where, *(_shown_alerts(each) for each in (check.expected, got)))


def _shown_alerts(alerts: Sequence[tuple[Labels, tuple[tuple[str, str], ...]]]) -> list[str]:
    return [f"Labels:{shown(labels)} Annotations:{shown(annotations)}" for labels, annotations in alerts]


def _expression_failures(check: ExpressionCheck, around: Surroundings, *, fuzzy: bool) -> Iterator[str]:
    where = f"expr: {check.text!r}, time: {format_duration(check.at_ms)}"
    try:
        value = around.engine.instant(around.source, check.text, check.at_ms, Stop()).value
    except ViglaError as error:
        yield f"{where}, err: {error}"
        return
    got: list[Made] = []
    if isinstance(value, Scalars):
        got = [((), float(value.values[0]))]
    elif isinstance(value, Vector):
        got = evaluation.elements(value)
    expected = sorted(check.expected, key=lambda each: each[0])
    got = sorted(got, key=lambda each: each[0])
    if len(got) != len(expected) or not all(
        mine[0] == theirs[0] and _same(mine[1], theirs[1], fuzzy=fuzzy)
        for mine, theirs in zip(got, expected, strict=True)
    ):
        yield _difference(where, *([_shown(each) for each in side] for side in (expected, got)))


def _same(left: float | Histogram, right: float | Histogram, *, fuzzy: bool) -> bool:
    if isinstance(left, Histogram) or isinstance(right, Histogram):
        return isinstance(left, Histogram) and isinstance(right, Histogram) and _text(left) == _text(right)
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right or (fuzzy and math.isclose(left, right, rel_tol=FUZZ))


def _text(histogram: Histogram) -> str:
    return to_notation(compact(histogram))


def _shown(made: Made) -> str:
    labels, value = made
    name = dict(labels).get(NAME, "")
    rest = shown(tuple(pair for pair in labels if pair[0] != NAME))
    return f"{name}{rest} {_text(value) if isinstance(value, Histogram) else value!r}"


def _difference(where: str, expected: Sequence[str], got: Sequence[str]) -> str:
    def listed(lines: Sequence[str]) -> str:
        return "".join(f"\n      {line}" for line in lines) or " nothing"

    return f"{where}\n    exp:{listed(expected)}\n    got:{listed(got)}"
