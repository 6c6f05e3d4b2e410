"""Alerts of one rule: inactive, pending, firing. Source: Prometheus, "Alerting rules"."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from query.promql.labelsets import NAME, changed
from query.promql.series import Labels

State = Literal["inactive", "pending", "firing"]
SEVERITY: dict[State, int] = {"inactive": 0, "pending": 1, "firing": 2}

RESOLVED_KEPT_MS = 15 * 60_000
"""How long a resolved alert is still told to receivers that may have missed it."""

ALERTS, FOR_STATE = "ALERTS", "ALERTS_FOR_STATE"
KEEP_FIRING = "ALERTS_KEEP_FIRING_SINCE"
"""Series: that an alert is there (1), since when it is active, since when only ``keep_firing_for`` holds it
(seconds since the epoch). The first two are Prometheus'; the third lets that survive a restart too."""


@dataclass(frozen=True, slots=True)
class Found:
    """An element of a rule's expression."""

    value: float
    annotations: Mapping[str, str]


@dataclass(slots=True)
class Alert:
    """One alert; times in milliseconds since the epoch, 0: not yet.

    Attributes:
        labels: with ``alertname``.
        value: of the expression, when it last had one.
        active_ms: since when the expression has it.
        keep_firing_ms: since when it only fires on by ``keep_firing_for``.
        sent_ms: when receivers were last told.
    """

    labels: Labels
    annotations: Mapping[str, str]
    value: float
    active_ms: int
    state: State = "pending"
    fired_ms: int = 0
    resolved_ms: int = 0
    keep_firing_ms: int = 0
    sent_ms: int = 0

    def due(self, now_ms: int, resend_ms: int) -> bool:
        """Whether receivers should be told now."""
        if self.state == "pending":
            return False
        return self.resolved_ms > self.sent_ms or self.sent_ms + resend_ms <= now_ms


@dataclass(slots=True)
class Alerts:
    """All alerts of one rule.

    Attributes:
        hold_ms: how long one is pending.
        keep_firing_ms: how long one fires on.
        known: by labels; resolved ones among them.
    """

    hold_ms: int
    keep_firing_ms: int
    known: dict[Labels, Alert] = field(default_factory=dict)

    @property
    def active(self) -> list[Alert]:
        """Pending and firing ones."""
        return [alert for alert in self.known.values() if alert.state != "inactive"]

    @property
    def state(self) -> State:
        """The worst of all."""
        states: list[State] = [alert.state for alert in self.known.values()]
        return max(states, key=SEVERITY.__getitem__, default="inactive")

    def update(self, found: Mapping[Labels, Found], now_ms: int) -> None:
        """Take in what the expression has now."""
        for labels, element in found.items():
            alert = self.known.get(labels)
            if alert is None or alert.state == "inactive":
                self.known[labels] = Alert(labels, element.annotations, element.value, now_ms)
            else:
                alert.value, alert.annotations, alert.keep_firing_ms = element.value, element.annotations, 0
        for labels, alert in list(self.known.items()):
            if labels not in found:
                self._missing(alert, now_ms)
            if alert.state == "pending" and now_ms - alert.active_ms >= self.hold_ms:
                alert.state, alert.fired_ms = "firing", now_ms

    def _missing(self, alert: Alert, now_ms: int) -> None:
        """The expression does not have it any more."""
        if alert.state == "firing" and self.keep_firing_ms:
            alert.keep_firing_ms = alert.keep_firing_ms or now_ms
            if now_ms - alert.keep_firing_ms < self.keep_firing_ms:
                return
        gone = alert.resolved_ms and now_ms - alert.resolved_ms > RESOLVED_KEPT_MS
        if alert.state == "pending" or gone:
            del self.known[alert.labels]
        if alert.state != "inactive":
            alert.state, alert.resolved_ms, alert.keep_firing_ms = "inactive", now_ms, 0

    def samples(self) -> Iterator[tuple[Labels, float]]:
        """What is recorded of the active ones."""
        for alert in self.active:
            yield changed(changed(alert.labels, NAME, ALERTS), "alertstate", alert.state), 1.0
            yield changed(alert.labels, NAME, FOR_STATE), float(alert.active_ms // 1000)
            if alert.keep_firing_ms:
                yield changed(alert.labels, NAME, KEEP_FIRING), alert.keep_firing_ms / 1000
