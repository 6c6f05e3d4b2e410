"""``/rules``, ``/alerts``, ``/alertmanagers``: what is evaluated, and who is told."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import APIRouter, Request, Response

from query.limits import Limits
from query.prometheus import answers, params
from query.prometheus.requests import Form, Requests, one
from query.promql.ast import Matcher
from query.promql.histograms.numbers import scientific
from query.promql.matching import accepts
from query.rules.alerts import Alert
from query.rules.evaluation import GroupState, RuleState
from query.rules.groups import AlertingRule
from query.rules.notifier import rfc3339
from vigla.errors import QueryError
from vigla.storage.api import QueryContext

MS_PER_S = 1000
_KINDS = ("alert", "record", "")
_BOOLEANS = {"": False, "0": False, "1": True, "f": False, "t": True, "false": False, "true": True}


class RuleStates(Protocol):
    """The rules that run: ``query.rules.manager.Rules``."""

    @property
    def states(self) -> Sequence[GroupState]:
        """All groups, by file and name."""

    @property
    def alertmanagers(self) -> Sequence[str]:
        """URLs that are told of alerts."""


class NoRules:
    """A server that evaluates none."""

    states: Sequence[GroupState] = ()
    alertmanagers: Sequence[str] = ()


def router(rules: RuleStates, limits: Limits) -> APIRouter:
    """The routes.

    Args:
        rules: that run.
        limits: bounds of every query.
    """
    routes = APIRouter(prefix="/api/v1", include_in_schema=False)
    told, requests = _Told(rules), Requests(limits)

    @routes.get("/rules")
    async def groups(request: Request) -> Response:
        return await requests.answered(request, told.groups)

    @routes.get("/alerts")
    async def alerts(request: Request) -> Response:
        return await requests.answered(request, told.alerts)

    @routes.get("/alertmanagers")
    async def alertmanagers(request: Request) -> Response:
        return await requests.answered(request, told.alertmanagers)

    return routes


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Filters of ``/rules``."""

    kind: str
    names: Sequence[str]
    groups: Sequence[str]
    files: Sequence[str]
    selectors: Sequence[Sequence[Matcher]]
    with_alerts: bool

    def rule(self, state: RuleState) -> bool:
        """Whether a rule is asked for."""
        kind = "alert" if isinstance(state.rule, AlertingRule) else "record"
        if (self.kind and kind != self.kind) or (self.names and state.rule.name not in self.names):
            return False
        labels = state.rule.labels
        return not self.selectors or any(
            all(accepts(matcher, labels.get(matcher.name, "")) for matcher in matchers)
            for matchers in self.selectors
        )


class _Told:
    """Answers; in a thread."""

    def __init__(self, rules: RuleStates) -> None:
        self._rules = rules

    def groups(self, form: Form, _context: QueryContext) -> Response:
        """``/rules``."""
        wanted = _wanted(form)
        most, after = params.limit(one(form, "group_limit")), one(form, "group_next_token")
        if after and not most:
            raise QueryError("group_limit needs to be set in order to paginate over the groups")
        states = [state for state in self._rules.states if _in(state, wanted)]
        if after:
            tokens = [_token(state) for state in states]
            if after not in tokens:
                raise QueryError("invalid group_next_token: the group is no more; begin anew")
            states = states[tokens.index(after) :]
        page = states[:most] if most else states
        data: dict[str, Any] = {"groups": [each for state in page if (each := _group(state, wanted))]}
        if len(page) < len(states):
            data["groupNextToken"] = _token(states[len(page)])
        return answers.json(data)

    def alerts(self, _form: Form, _context: QueryContext) -> Response:
        """``/alerts``: those that are active."""
        rules = [rule for state in self._rules.states for rule in state.rules]
        return answers.json({"alerts": [each for rule in rules for each in _alerts(rule)]})

    def alertmanagers(self, _form: Form, _context: QueryContext) -> Response:
        """``/alertmanagers``."""
        active = [{"url": url} for url in self._rules.alertmanagers]
        return answers.json({"activeAlertmanagers": active, "droppedAlertmanagers": []})


def _wanted(form: Form) -> _Wanted:
    kind, exclude = one(form, "type"), one(form, "exclude_alerts")
    if kind not in _KINDS:
        raise QueryError(f'not supported value "{kind}"')
    if exclude.lower() not in _BOOLEANS:
        raise QueryError(f'invalid parameter "exclude_alerts": "{exclude}" is no boolean')
    return _Wanted(
        kind,
        form.get("rule_name[]", ()),
        form.get("rule_group[]", ()),
        form.get("file[]", ()),
        params.selectors(form.get("match[]", ())),
        not _BOOLEANS[exclude.lower()],
    )


def _in(state: GroupState, wanted: _Wanted) -> bool:
    return (not wanted.groups or state.group.name in wanted.groups) and (
        not wanted.files or state.group.file in wanted.files
    )


def _token(state: GroupState) -> str:
    return hashlib.sha256(f"{state.group.file};{state.group.name}".encode()).hexdigest()


def _group(state: GroupState, wanted: _Wanted) -> dict[str, Any]:
    """Empty if filters leave no rule."""
    rules = [_rule(each, wanted) for each in state.rules if wanted.rule(each)]
    if not rules and (wanted.kind or wanted.names or wanted.selectors):
        return {}
    group = state.group
    return {
        "name": group.name,
        "file": group.file,
        "rules": rules,
        "interval": group.interval_ms / MS_PER_S,
        "limit": group.limit,
        "evaluationTime": state.seconds,
        "lastEvaluation": rfc3339(state.evaluated_ms),
    }


def _rule(state: RuleState, wanted: _Wanted) -> dict[str, Any]:
    rule = state.rule
    common: dict[str, Any] = {
        "name": rule.name,
        "query": rule.text,
        "labels": dict(rule.labels),
        "health": state.health,
        "evaluationTime": state.seconds,
        "lastEvaluation": rfc3339(state.evaluated_ms),
        **({"lastError": state.error} if state.error else {}),
    }
    if not isinstance(rule, AlertingRule) or state.alerts is None:
        return {**common, "type": "recording"}
    return {
        "state": state.alerts.state,
        **common,
        "duration": rule.hold_ms / MS_PER_S,
        "keepFiringFor": rule.keep_firing_ms / MS_PER_S,
        "annotations": dict(rule.annotations),
        "alerts": list(_alerts(state)) if wanted.with_alerts else [],
        "type": "alerting",
    }


def _alerts(state: RuleState) -> Iterable[dict[str, Any]]:
    return [_alert(alert) for alert in (state.alerts.active if state.alerts else ())]


def _alert(alert: Alert) -> dict[str, Any]:
    since = {"keepFiringSince": rfc3339(alert.keep_firing_ms)} if alert.keep_firing_ms else {}
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state,
        "activeAt": rfc3339(alert.active_ms),
        **since,
        "value": scientific(alert.value),
    }
