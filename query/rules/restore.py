"""Alerts as they were before a restart, from the series that were recorded of them."""

from collections.abc import Mapping

from query.promql.engine import Engine
from query.promql.gotext import quote
from query.promql.labelsets import NAME, changed
from query.promql.results import Vector
from query.promql.series import Labels, SeriesSource
from query.rules.alerts import ALERTS, FOR_STATE, KEEP_FIRING, Alert
from query.rules.evaluation import GroupState, RuleState, elements
from vigla.storage.api import Stop

OUTAGE_MS = 3_600_000
"""Longer outages are not bridged (Prometheus' ``--rules.alert.for-outage-tolerance``)."""
MS_PER_S = 1000


def restore(state: GroupState, source: SeriesSource, now_ms: int, stop: Stop) -> None:
    """Take up the alerts that were active when the process ended.

    The time in between does not count towards ``for``. Firing alerts fire on, so that receivers are told when
    they resolve.

    Raises:
        ViglaError: the series cannot be read.
    """
    for rule in state.rules:
        if rule.alerts is not None:
            _restore(rule, source, now_ms, stop)


def _restore(rule: RuleState, source: SeriesSource, now_ms: int, stop: Stop) -> None:
    assert rule.alerts is not None  # noqa: S101  asked by the caller

    def last(metric: str, condition: str = "") -> Mapping[Labels, tuple[int, float]]:
        selector = f"{metric}{{alertname={quote(rule.rule.name)}{condition}}}[{OUTAGE_MS}ms]"
        return _last(source, selector, now_ms, stop)

    since = last(FOR_STATE)
    if not since:
        return
    firing = {changed(labels, "alertstate", "") for labels in last(ALERTS, ',alertstate="firing"')}
    keep = last(KEEP_FIRING)
    for labels, (seen_ms, value) in since.items():
        if not _is_of(rule, labels):
            continue
        alert = Alert(labels, {}, float("nan"), int(value) * MS_PER_S)
        if labels in firing:
            alert.state, alert.fired_ms = "firing", alert.active_ms + rule.alerts.hold_ms
            alert.keep_firing_ms = int(keep[labels][1] * MS_PER_S) if labels in keep else 0
        else:
            alert.active_ms += now_ms - seen_ms
        rule.alerts.known[labels] = alert
        rule.written |= {labels for labels, _ in rule.alerts.samples()}


def _is_of(rule: RuleState, labels: Labels) -> bool:
    """Whether the labels can be this rule's: two may have one name; templates are not compared."""
    own = dict(labels)
    return all("{{" in text or own.get(name, "") == text for name, text in rule.rule.labels.items())


def _last(source: SeriesSource, selector: str, now_ms: int, stop: Stop) -> Mapping[Labels, tuple[int, float]]:
    """Time and value of the newest sample by labels; series that ended are not there."""
    engine = Engine()
    found: dict[Labels, tuple[int, float]] = {}
    for function in ("last_over_time", "ts_of_last_over_time"):
        value = engine.instant(source, f"{function}({selector})", now_ms, stop).value
        if not isinstance(value, Vector):
            continue
        for labels, number in elements(value):
            if not isinstance(number, float):
                continue
            own = changed(labels, NAME, "")
            if function == "last_over_time":
                found[own] = (0, number)
            elif own in found:
                found[own] = (int(number * MS_PER_S), found[own][1])
    return found
