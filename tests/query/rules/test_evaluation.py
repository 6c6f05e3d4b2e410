"""Evaluation of groups and the life of alerts: see ``query.rules.evaluation`` and ``query.rules.alerts``."""

from typing import Any

import numpy as np
import pytest

from query.promql.engine import Engine
from query.promql.memory import MemorySeries
from query.promql.series import Labels
from query.rules.alerts import Alert
from query.rules.evaluation import GroupState, Surroundings, ended, evaluate, fresh
from query.rules.groups import groups
from query.rules.restore import restore
from vigla.prometheus.staleness import STALE_BITS
from vigla.storage.api import Stop

MINUTE = 60_000


class World:
    """Series, and a group that is evaluated over them each minute."""

    def __init__(self, rules: str, head: str = "") -> None:
        text = f"groups:\n- name: g\n  {head}\n  rules:\n{rules}"
        (group,) = groups(text, "f.yml", MINUTE)
        self.series = MemorySeries()
        self.group = group
        self.state = fresh(group)

    def put(self, minute: int, **values: float) -> None:
        for job, value in values.items():
            self.series.append((("__name__", "up"), ("job", job)), minute * MINUTE, float(value))

    def evaluate(self, minute: int) -> dict[str, Any]:
        """Values by series; None: it ended."""
        around = Surroundings(Engine(), self.series, {"zone": "eu"}, "http://v")
        made = evaluate(self.state, around, minute * MINUTE, Stop())
        for labels, value in made:
            self.series.append(labels, minute * MINUTE, value)
        return {shown(labels): None if is_end(value) else value for labels, value in made}

    @property
    def alerts(self) -> list[Alert]:
        found = [rule.alerts for rule in self.state.rules]
        return [alert for each in found if each for alert in each.known.values()]

    @property
    def errors(self) -> list[str]:
        return [rule.error for rule in self.state.rules]


def shown(labels: Labels) -> str:
    return ",".join(f"{name}={value}" for name, value in labels)


def is_end(value: object) -> bool:
    return isinstance(value, float) and int(np.float64(value).view(np.uint64)) == STALE_BITS


def test_a_rule_sees_what_those_before_it_made_and_a_series_that_goes_is_ended() -> None:
    world = World(
        "  - {record: s, expr: sum by (job) (up), labels: {a: x, job: ''}}\n  - {record: t, expr: s * 2}\n"
    )
    world.put(0, a=1)
    assert world.evaluate(0) == {"__name__=s,a=x": 1.0, "__name__=t,a=x": 2.0}
    assert world.evaluate(10) == {"__name__=s,a=x": None, "__name__=t,a=x": None}
    assert world.evaluate(11) == {}


def test_a_failed_rule_is_told_and_the_others_go_on() -> None:
    world = World("  - {record: s, expr: up, labels: {job: x}}\n  - {record: t, expr: count(up)}\n")
    world.put(0, a=1, b=2)
    assert world.evaluate(0) == {"__name__=t": 2.0}
    assert world.errors == ["vector contains metrics with the same labelset after applying rule labels", ""]
    assert [rule.health for rule in world.state.rules] == ["err", "ok"]


def test_a_stopped_evaluation_fails_its_rules() -> None:
    world = World("  - {record: s, expr: up}\n")
    stop = Stop()
    stop.stop("deadline")
    assert evaluate(world.state, Surroundings(Engine(), world.series), 0, stop) == []
    assert "deadline" in world.errors[0]


def test_limit_and_offset() -> None:
    world = World("  - {record: s, expr: up}\n  - {alert: A, expr: up}\n", "limit: 1\n  query_offset: 1m")
    world.put(1, a=1)
    assert world.evaluate(1) == {}
    assert len(world.evaluate(2)) == 3
    world.put(2, a=1, b=2)
    assert world.evaluate(3) == {}
    assert world.errors == ["exceeded limit of 1 with 2 series", "exceeded limit of 1 with 2 alerts"]
    assert world.alerts == []


ALERT = """  - alert: Down
    expr: up == 0
    for: 2m
    keep_firing_for: 3m
    labels: {severity: "{{ if eq $labels.job \\"a\\" }}high{{ end }}"}
    annotations:
      summary: "{{ $labels.job }} in {{ $externalLabels.zone }}: {{ $value }}"
      bad: "{{ toUpper }}"
"""


def test_an_alert_is_pending_then_fires_then_is_kept_then_resolved() -> None:
    world = World(ALERT)
    labels = "alertname=Down,{}job=a,severity=high"
    series = "__name__=ALERTS," + labels.format("alertstate={},")
    since = "__name__=ALERTS_FOR_STATE," + labels.format("")
    world.put(0, a=0)
    assert world.evaluate(0) == {series.format("pending"): 1.0, since: 0.0}
    (alert,) = world.alerts
    assert dict(alert.annotations)["summary"] == "a in eu: 0"
    assert dict(alert.annotations)["bad"].startswith("<error expanding template: error calling toUpper")
    assert not alert.due(0, MINUTE)
    world.evaluate(1)
    assert world.evaluate(2) == {series.format("firing"): 1.0, since: 0.0, series.format("pending"): None}
    assert alert.due(2 * MINUTE, MINUTE)
    alert.sent_ms = 2 * MINUTE
    assert not alert.due(2 * MINUTE + 1, MINUTE)
    world.put(3, a=1)
    kept = "__name__=ALERTS_KEEP_FIRING_SINCE," + labels.format("")
    assert world.evaluate(3) == {series.format("firing"): 1.0, since: 0.0, kept: 180.0}
    world.evaluate(5)
    assert alert.state == "firing"
    assert world.evaluate(6) == {series.format("firing"): None, since: None, kept: None}
    assert (alert.state, alert.resolved_ms) == ("inactive", 6 * MINUTE)
    assert alert.due(6 * MINUTE, MINUTE)
    world.evaluate(22)
    assert world.alerts == []


def test_a_pending_alert_goes_without_a_word() -> None:
    world = World(ALERT)
    world.put(0, b=0)
    world.evaluate(0)
    world.put(1, b=1)
    world.evaluate(1)
    assert world.alerts == []


def test_a_restart_keeps_what_was_active() -> None:
    world = World(ALERT)
    world.put(0, a=0, b=0)
    world.evaluate(0)
    world.put(1, a=0)
    world.put(1, b=1)
    world.evaluate(1)
    world.evaluate(2)
    world.put(3, b=0)
    world.evaluate(3)  # a fires, b is pending
    world.state = fresh(world.group)
    restore(world.state, world.series, 13 * MINUTE, Stop())
    by_job = {dict(alert.labels)["job"]: alert for alert in world.alerts}
    assert (by_job["a"].state, by_job["a"].active_ms) == ("firing", 0)
    assert (by_job["b"].state, by_job["b"].active_ms) == ("pending", 13 * MINUTE)  # ten minutes do not count
    world.put(13, a=1, b=1)
    made = world.evaluate(13)
    assert by_job["a"].keep_firing_ms == 13 * MINUTE
    assert (
        made["__name__=ALERTS,alertname=Down,alertstate=pending,job=b,severity="[: -len(",severity=")]]
        is None
    )


def test_keep_firing_for_goes_on_over_a_restart() -> None:
    world = World(ALERT)
    world.put(0, a=0)
    for minute in range(3):
        world.evaluate(minute)
    world.put(3, a=1)
    world.evaluate(3)
    world.state = fresh(world.group)
    restore(world.state, world.series, 4 * MINUTE, Stop())
    (alert,) = world.alerts
    assert alert.keep_firing_ms == 3 * MINUTE
    world.evaluate(6)
    assert alert.state == "inactive"


def test_an_old_state_is_not_restored() -> None:
    world = World(ALERT)
    world.put(0, a=0)
    world.evaluate(0)
    world.state = fresh(world.group)
    restore(world.state, world.series, 62 * MINUTE, Stop())
    assert world.alerts == []


def test_a_group_that_is_gone_ends_its_series() -> None:
    world = World("  - {record: s, expr: up}\n")
    world.put(0, a=1)
    world.evaluate(0)
    assert [shown(labels) for labels, value in ended(world.state) if is_end(value)] == ["__name__=s,job=a"]


@pytest.mark.parametrize("expression", ["vector(1)", "1"])
def test_a_scalar_is_an_element_without_labels(expression: str) -> None:
    world = World(f"  - {{record: s, expr: {expression}}}\n")
    assert world.evaluate(0) == {"__name__=s": 1.0}


def test_the_state_of_a_group_has_the_times() -> None:
    world = World("  - {record: s, expr: '1'}\n")
    world.evaluate(7)
    state: GroupState = world.state
    assert (state.evaluated_ms, state.rules[0].evaluated_ms) == (7 * MINUTE, 7 * MINUTE)
