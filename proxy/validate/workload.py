"""WorkloadEntry, WorkloadGroup."""

import re

from proxy.api.service_entry import ReadinessProbe, WorkloadEntry, WorkloadGroup
from proxy.validate import checks
from proxy.validate.addresses import UNIX, ip_or_host, unix
from proxy.validate.spot import Spot

_PORT_NAME = re.compile(r"[a-zA-Z0-9](?:[-.a-zA-Z0-9]*[a-zA-Z0-9])?")
_PROBE_HEADER = re.compile(r"[-A-Za-z0-9_]+")
_LONGEST_NAME = 63


def workload_entry(at: Spot, spec: WorkloadEntry) -> None:
    """All rules of the kind."""
    endpoint(at, spec)


def workload_group(at: Spot, spec: WorkloadGroup) -> None:
    """All rules of the kind; the proxies fill in the template's address."""
    if spec.template is None:
        (at / "template").error("required: what the group's workloads have in common")
    else:
        _common(at / "template", spec.template)
    if spec.metadata is not None:
        checks.labels(at / "metadata" / "labels", spec.metadata.labels)
    if spec.probe is not None:
        _probe(at / "probe", spec.probe)


def endpoint(at: Spot, entry: WorkloadEntry) -> None:
    """A workload's address, ports and labels."""
    spot = at / "address"
    if not entry.address:
        if entry.network:
            spot.warn(f"without an address it is reached by the gateway of network {entry.network}")
        else:
            spot.error("required: an IP address, a DNS name or unix:///path")
    elif entry.address.startswith(UNIX):
        unix(spot, entry.address)
        if entry.ports:
            (at / "ports").error("a Unix socket has no ports: remove them")
    else:
        ip_or_host(spot, entry.address)
    _common(at, entry)


def _common(at: Spot, entry: WorkloadEntry) -> None:
    for spot, name, number in at.entries("ports", entry.ports):
        if len(name) > _LONGEST_NAME or not _PORT_NAME.fullmatch(name):
            spot.error(f"{name!r} is no port name: use letters, digits and inner dashes")
        checks.port(spot, number)
    checks.labels(at / "labels", entry.labels)
    checks.not_negative(at / "weight", entry.weight)


def _probe(at: Spot, probe: ReadinessProbe) -> None:
    for name, value in (
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ):
        checks.not_negative(at / name, value)
    given = {
        "httpGet": probe.http_get is not None,
        "tcpSocket": probe.tcp_socket is not None,
        "exec": probe.exec is not None,
        "grpc": probe.grpc is not None,
    }
    checks.one_of(at, **given)
    if not any(given.values()):
        at.error("a probe needs one of httpGet, tcpSocket, exec, grpc")
    _methods(at, probe)


def _methods(at: Spot, probe: ReadinessProbe) -> None:
    if probe.http_get is not None:
        spot = at / "httpGet"
        checks.port(spot / "port", probe.http_get.port)
        if probe.http_get.scheme not in {"", "HTTP", "HTTPS"}:
            (spot / "scheme").error(f"{probe.http_get.scheme!r} is not allowed: write HTTP or HTTPS")
        for where, header in spot.each("httpHeaders", probe.http_get.http_headers):
            if not _PROBE_HEADER.fullmatch(header.name):
                (where / "name").error(f"{header.name!r} is no header name")
    if probe.tcp_socket is not None:
        checks.port(at / "tcpSocket" / "port", probe.tcp_socket.port)
    if probe.exec is not None and not (probe.exec.command and all(probe.exec.command)):
        (at / "exec" / "command").error("required: the command and its arguments")
    if probe.grpc is not None:
        checks.port(at / "grpc" / "port", probe.grpc.port)
