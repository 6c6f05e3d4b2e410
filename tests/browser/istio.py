"""Metrics of a mesh as its proxies report them, as remote write requests."""

import time
from typing import Any

from tests.wire.remote_write_messages import packed, request_v1
from vigla.wire.remote_write.admit import admit

STEP_S, STEPS = 15, 40
BOUNDS = ("5", "50", "500", "+Inf")
LONG = "a-name-of-a-workload-that-is-as-long-as-names-can-be-in-clusters-of-today"
HOSTILE = '"><img src=x onerror=alert(1)>\u202egnol'
CALLS = (  # source app, destination app, its version, code, requests a step
    ("web", "shop", "v1", "200", 30),
    ("web", "shop", "v2", "200", 10),
    ("web", "shop", "v2", "503", 5),
    ("shop", "db", "v1", "200", 20),
    ("shop", LONG, "v1", "200", 2),
    ("shop", HOSTILE, "v1", "200", 1),
)


def mesh_metrics() -> bytes:
    """One request with the last ten minutes of ``CALLS``, reported by both sides."""
    end = int(time.time() // STEP_S * STEP_S * 1000)
    rows = []
    for source, target, version, code, calls in CALLS:
        for reporter in ("source", "destination"):
            labels = _labels(source, target, version, code, reporter)
            rows.append((labels | {"__name__": "istio_requests_total"}, _rising(end, calls)))
            for place, bound in enumerate(BOUNDS):
                part = calls * (place + 1) // len(BOUNDS)
                name = {"__name__": "istio_request_duration_milliseconds_bucket", "le": bound}
                rows.append((labels | name, _rising(end, part)))
    record: bytes = admit("1", packed(request_v1(*rows)), end).record
    return record


def _labels(source: str, target: str, version: str, code: str, reporter: str) -> dict[str, str]:
    found: dict[str, Any] = {
        "reporter": reporter,
        "response_code": code,
        "response_flags": "-" if code == "200" else "UH",
        "request_protocol": "http",
        "connection_security_policy": "mutual_tls" if reporter == "destination" else "unknown",
        "destination_service": f"{target}.shop.svc.cluster.local",
        "destination_service_name": target,
        "destination_service_namespace": "shop",
    }
    for side, app, number in (("source", source, "v1"), ("destination", target, version)):
        found |= {
            f"{side}_workload": f"{app}-{number}",
            f"{side}_workload_namespace": "shop",
            f"{side}_app": app,
            f"{side}_canonical_service": app,
            f"{side}_version": number,
            f"{side}_canonical_revision": number,
            f"{side}_cluster": "Kubernetes",
            f"{side}_principal": f"spiffe://cluster.local/ns/shop/sa/{app}",
        }
    return found


def _rising(end: int, each: int) -> list[tuple[int, float]]:
    first = end - STEP_S * 1000 * (STEPS - 1)
    return [(first + place * STEP_S * 1000, float(place * each)) for place in range(STEPS)]
