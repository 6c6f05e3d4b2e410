"""Faults injected into requests."""

from typing import Any

from proxy.api.base import Percent
from proxy.api.virtual_service import HTTPFaultInjection
from proxy.envoy.messages import typed
from proxy.translate.names import seconds

FAULT = "envoy.filters.http.fault"
_MILLION_PER_CENT = 10_000
GRPC_STATUS = {
    name: code
    for code, name in enumerate(
        (
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
        )
    )
}


def fraction(percentage: Percent | None, percent: int) -> dict[str, Any]:
    """``FractionalPercent`` of the field, or of the older whole number."""
    if percentage is None:
        return {"numerator": percent, "denominator": "HUNDRED"}
    return {"numerator": round(percentage.value * _MILLION_PER_CENT), "denominator": "MILLION"}


def fault_filter(fault: HTTPFaultInjection) -> dict[str, Any] | None:
    """``HTTPFault`` of a rule; None where nothing in it has an effect in Envoy."""
    made: dict[str, Any] = {}
    delay, abort = fault.delay, fault.abort
    if delay and delay.fixed_delay is not None:
        share = fraction(delay.percentage, delay.percent)
        made["delay"] = {"fixed_delay": seconds(delay.fixed_delay), "percentage": share}
    if abort and (abort.http_status is not None or abort.grpc_status is not None):
        share = fraction(abort.percentage, abort.percent)
        if abort.http_status is not None:
            made["abort"] = {"http_status": abort.http_status, "percentage": share}
        else:
            made["abort"] = {"grpc_status": _grpc_status(abort.grpc_status or ""), "percentage": share}
    return typed("envoy.extensions.filters.http.fault.v3.HTTPFault", made) if made else None


def _grpc_status(name: str) -> int:
    return int(name) if name.isdigit() else GRPC_STATUS.get(name.upper(), GRPC_STATUS["UNKNOWN"])
