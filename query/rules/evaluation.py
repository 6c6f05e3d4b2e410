"""One evaluation of a group: its rules in their order, each seeing what those before it made."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from query.promql.engine import Engine
from query.promql.errors import ExecutionError
from query.promql.histogram import Histogram
from query.promql.labelsets import NAME, changed
from query.promql.memory import MemorySeries
from query.promql.overlay import Overlay
from query.promql.results import Scalars, Vector
from query.promql.series import Labels, SeriesSource
from query.rules.alerts import Alerts, Found
from query.rules.groups import AlertingRule, Group, RecordingRule, Rule
from query.rules.template.ast import TemplateError
from query.rules.template.expand import expand
from query.rules.template.functions import Environment, Sample
from vigla.errors import ViglaError
from vigla.prometheus.staleness import STALE
from vigla.storage.api import Stop

Health = Literal["unknown", "ok", "err"]
Value = float | Histogram
Made = tuple[Labels, Value]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all evaluations share.

    Attributes:
        engine: of the expressions.
        source: of the series.
        external_labels: of this server, for templates.
        external_url: by which people reach it.
    """

    engine: Engine
    source: SeriesSource
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""


@dataclass(slots=True)
class RuleState:
    """A rule with what its evaluations left.

    Attributes:
        alerts: of an alerting rule.
        written: series of the last evaluation.
        health, error: of the last evaluation.
        evaluated_ms: when that was; 0: never.
        seconds: that it took.
    """

    rule: Rule
    alerts: Alerts | None
    written: set[Labels] = field(default_factory=set)
    health: Health = "unknown"
    error: str = ""
    evaluated_ms: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class GroupState:
    """A group with the states of its rules, and what its last evaluation made."""

    group: Group
    rules: list[RuleState]
    evaluated_ms: int = 0
    seconds: float = 0.0
    recent: list[tuple[int, list[Made]]] = field(default_factory=list)


def fresh(group: Group) -> GroupState:
    """A group that was never evaluated."""
    return GroupState(group, [RuleState(rule, _alerts(rule)) for rule in group.rules])


def _alerts(rule: Rule) -> Alerts | None:
    return Alerts(rule.hold_ms, rule.keep_firing_ms) if isinstance(rule, AlertingRule) else None


def evaluate(state: GroupState, around: Surroundings, now_ms: int, stop: Stop) -> list[Made]:
    """Evaluate all rules at a time.

    Args:
        state: is brought up to date.
        around: engine, series and so on.
        now_ms: milliseconds since the epoch, also the time of the samples.
        stop: ends it; the rules that are left fail.

    Returns:
        Samples to write, with markers for series that ended.
    """
    began = time.perf_counter()
    kept = MemorySeries()
    for at, samples in state.recent[-1:]:
        _remember(kept, at, samples)
    made: list[Made] = []
    seeing = Surroundings(
        around.engine, Overlay(around.source, kept), around.external_labels, around.external_url
    )
    for each in state.rules:
        samples = _evaluated(each, state.group, seeing, now_ms, stop)
        _remember(kept, now_ms, samples)
        made += samples
    state.recent = [(now_ms, made)]
    state.evaluated_ms, state.seconds = now_ms, time.perf_counter() - began
    return made


def ended(state: GroupState) -> list[Made]:
    """Markers for all series of a group that is no more."""
    return [(labels, STALE) for each in state.rules for labels in sorted(each.written)]


def _remember(series: MemorySeries, at: int, samples: Sequence[Made]) -> None:
    for labels, value in samples:
        series.append(labels, at, value)


def _evaluated(state: RuleState, group: Group, around: Surroundings, now_ms: int, stop: Stop) -> list[Made]:
    """Samples of one rule; a failed one writes nothing, and what it wrote before ends by lookback."""
    began = time.perf_counter()
    made: dict[Labels, Value] = {}
    try:
        made = _made(state, group, around, now_ms, stop)
        state.health, state.error = "ok", ""
    except ViglaError as error:
        state.health, state.error = "err", str(error)
    finally:
        state.evaluated_ms, state.seconds = now_ms, time.perf_counter() - began
    if state.health == "err":
        return []
    gone = sorted(state.written - made.keys())
    state.written = set(made)
    return [*made.items(), *((labels, STALE) for labels in gone)]


def _made(
    state: RuleState, group: Group, around: Surroundings, now_ms: int, stop: Stop
) -> dict[Labels, Value]:
    rule = state.rule
    elements = _elements(around, rule, now_ms - group.query_offset_ms, stop)
    if isinstance(rule, RecordingRule):
        made = _recorded(rule, elements)
        _check_limit(group, len(made), "series")
        return made
    assert state.alerts is not None  # noqa: S101  an alerting rule has them
    found = _found(rule, elements, around, now_ms, stop)
    state.alerts.update(found, now_ms)
    active = len(state.alerts.active)
    if group.limit and active > group.limit:
        state.alerts.known.clear()
    _check_limit(group, active, "alerts")
    return dict(state.alerts.samples())


def _check_limit(group: Group, count: int, kind: str) -> None:
    if group.limit and count > group.limit:
        raise ExecutionError(f"exceeded limit of {group.limit} with {count} {kind}")


def _elements(around: Surroundings, rule: Rule, at: int, stop: Stop) -> list[Made]:
    value = around.engine.instant(around.source, rule.expr, at, stop).value
    match value:
        case Scalars():
            return [((), float(value.values[0]))]
        case Vector():
            return list(elements(value))
    raise ExecutionError("rule result is not a vector or scalar")


def elements(vector: Vector) -> list[Made]:
    """Labels and value of each element."""
    matrix = vector.matrix
    floats = matrix.values[:, 0].tolist()
    histograms = [None] * len(floats) if matrix.histograms is None else matrix.histograms[:, 0].tolist()
    return [
        (labels, number if histogram is None else histogram)
        for labels, number, histogram in zip(matrix.labels, floats, histograms, strict=True)
    ]


def _recorded(rule: RecordingRule, found: Sequence[Made]) -> dict[Labels, Value]:
    made: dict[Labels, Value] = {}
    for labels, value in found:
        own = changed(labels, NAME, rule.name)
        for name, text in rule.labels.items():
            own = changed(own, name, text)
        made[own] = value
    if len(made) < len(found):
        raise ExecutionError("vector contains metrics with the same labelset after applying rule labels")
    return made


def _found(
    rule: AlertingRule, elements_: Sequence[Made], around: Surroundings, now_ms: int, stop: Stop
) -> dict[Labels, Found]:
    environment = Environment(_asker(around, now_ms, stop), around.external_url, now_ms)
    found: dict[Labels, Found] = {}
    for labels, value in elements_:
        number = value if isinstance(value, float) else value.sum
        data = {
            "Labels": dict(labels),
            "ExternalLabels": dict(around.external_labels),
            "ExternalURL": around.external_url,
            "Value": number,
        }
        own = changed(labels, NAME, "")
        for name, text in rule.labels.items():
            own = changed(own, name, _expanded(text, data, environment))
        own = changed(own, "alertname", rule.name)
        texts = {name: _expanded(text, data, environment) for name, text in rule.annotations.items()}
        found[own] = Found(number, texts)
    if len(found) < len(elements_):
        raise ExecutionError("vector contains metrics with the same labelset after applying alert labels")
    return found


def _expanded(text: str, data: Mapping[str, object], environment: Environment) -> str:
    try:
        return expand(text, data, environment)
    except (TemplateError, ViglaError) as error:
        return f"<error expanding template: {error}>"


def _asker(around: Surroundings, now_ms: int, stop: Stop) -> Callable[[str], list[Sample]]:
    def ask(query: str) -> list[Sample]:
        value = around.engine.instant(around.source, query, now_ms, stop).value
        if isinstance(value, Scalars):
            return [Sample({}, float(value.values[0]))]
        if not isinstance(value, Vector):
            raise TemplateError("query result is not a vector or scalar")
        return [Sample(dict(own), each) for own, each in elements(value) if isinstance(each, float)]

    return ask
