"""The circuit breaker: limits of connections and requests, and ejection of endpoints that fail."""

from typing import Any

from proxy.wizards.forms import CircuitBreaker, ConnectionLimits, Ejection
from proxy.wizards.subject import Document, Subject

_TCP = {"max_connections": "maxConnections"}
_HTTP = {
    "max_pending_requests": "http1MaxPendingRequests",
    "max_requests": "http2MaxRequests",
    "max_requests_per_connection": "maxRequestsPerConnection",
    "max_retries": "maxRetries",
}
_EJECTION = {
    "consecutive_errors": "consecutive5xxErrors",
    "interval": "interval",
    "duration": "baseEjectionTime",
    "max_percent": "maxEjectionPercent",
}


def guard(form: CircuitBreaker, subject: Subject) -> list[Document]:
    """The DestinationRule with this circuit breaker; other policies stay."""
    rule = subject.ruled("circuit-breaker")
    policy = rule["spec"].setdefault("trafficPolicy", {})
    limits = form.limits.model_dump() if form.limits else {}
    pool = policy.setdefault("connectionPool", {})
    for section, fields in (("tcp", _TCP), ("http", _HTTP)):
        _write(pool.setdefault(section, {}), fields, limits)
        if not pool[section]:
            del pool[section]
    if form.ejection:
        _write(policy.setdefault("outlierDetection", {}), _EJECTION, form.ejection.model_dump())
    else:
        policy.pop("outlierDetection", None)
    if not pool:
        del policy["connectionPool"]
    if not policy:
        del rule["spec"]["trafficPolicy"]
    return [rule]


def guarded(subject: Subject) -> CircuitBreaker:
    """The present one."""
    policy = (subject.destination_rule or {}).get("spec", {}).get("trafficPolicy") or {}
    pool = policy.get("connectionPool") or {}
    limits = _read(pool.get("tcp") or {}, _TCP) | _read(pool.get("http") or {}, _HTTP)
    outliers = policy.get("outlierDetection")
    return CircuitBreaker(
        limits=ConnectionLimits(**limits) if limits else None,
        ejection=Ejection(**_read(outliers, _EJECTION)) if outliers else None,
    )


def _write(section: Document, fields: dict[str, str], values: dict[str, Any]) -> None:
    for name, field in fields.items():
        value = values.get(name)
        if value is None:
            section.pop(field, None)
        else:
            section[field] = value


def _read(section: Document, fields: dict[str, str]) -> dict[str, Any]:
    return {name: section[field] for name, field in fields.items() if section.get(field)}
