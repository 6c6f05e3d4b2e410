"""ServiceEntry."""

from proxy.api.service_entry import ServiceEntry, WorkloadEntry
from proxy.validate import checks, scope
from proxy.validate.addresses import is_ip, subnet
from proxy.validate.spot import Spot
from proxy.validate.workload import endpoint

_ANY_BLOCK = frozenset({"NONE", "STATIC"})
_BY_NAME = frozenset({"DNS", "DNS_ROUND_ROBIN"})


def service_entry(at: Spot, spec: ServiceEntry) -> None:
    """All rules of the kind."""
    _hosts(at, spec)
    for spot, address in at.each("addresses", spec.addresses):
        subnet(spot, address)
        if "/" in address and spec.resolution not in _ANY_BLOCK:
            spot.error(f"a CIDR block needs resolution NONE or STATIC, not {spec.resolution}")
    _ports(at, spec)
    scope.workload_selector(at / "workloadSelector", spec.workload_selector)
    checks.one_of(
        at,
        workloadSelector=spec.workload_selector is not None,
        endpoints="endpoints" in spec.model_fields_set,
    )
    _resolution(at, spec)
    names = frozenset(port.name for port in spec.ports)
    for spot, entry in at.each("endpoints", spec.endpoints):
        _endpoint(spot, entry, spec, names)
    scope.export_to(at, spec.export_to, none_allowed=True)


def _hosts(at: Spot, spec: ServiceEntry) -> None:
    if not spec.hosts:
        (at / "hosts").error("required: the names of the service")
    for spot, host in at.each("hosts", spec.hosts):
        if host == "*":
            spot.error("* is too wide: write a domain, like *.example.com")
        elif checks.hostname(spot, host, wildcard=True) and host.startswith("*") and host[1:2] != ".":
            spot.warn(f"{host!r}: not every proxy matches parts of a name; write *.domain")


def _ports(at: Spot, spec: ServiceEntry) -> None:
    for spot, port in at.each("ports", spec.ports):
        checks.label(spot / "name", port.name, "port name")
        checks.protocol(spot / "protocol", port.protocol)
        checks.port(spot / "number", port.number)
        if port.target_port:
            checks.port(spot / "targetPort", port.target_port)
    ports = list(at.each("ports", spec.ports))
    checks.unique([(spot / "name", port.name) for spot, port in ports], "port name")
    checks.unique([(spot / "number", port.number) for spot, port in ports], "port")
    if len(spec.hosts) > 1 and spec.resolution != "NONE":
        for spot, port in ports:
            if not (checks.is_http(port.protocol) or checks.is_tls(port.protocol)):
                spot.error(
                    "several hosts can only be told apart on HTTP and TLS ports: "
                    "write one ServiceEntry for each host, or protocol HTTP, HTTPS or TLS"
                )


def _resolution(at: Spot, spec: ServiceEntry) -> None:
    at_resolution = at / "resolution"
    wildcards = [host for host in spec.hosts if "*" in host]
    if spec.resolution == "NONE":
        if spec.endpoints:
            at_resolution.error("NONE cannot be used with endpoints: write STATIC or DNS")
        if spec.workload_selector is not None:
            (at / "workloadSelector").warn("has no effect with resolution NONE")
    elif spec.resolution == "STATIC":
        if not spec.endpoints and spec.workload_selector is None:
            at_resolution.warn("STATIC without endpoints or workloadSelector reaches nothing")
    elif spec.resolution == "DYNAMIC_DNS":
        if spec.endpoints or spec.workload_selector is not None:
            at_resolution.error("DYNAMIC_DNS resolves the host of each request: it has no endpoints")
    elif wildcards and not spec.endpoints:
        at_resolution.error(
            f"{', '.join(wildcards)} cannot be resolved: add endpoints, or write NONE or DYNAMIC_DNS"
        )
    if spec.resolution == "DNS_ROUND_ROBIN" and len(spec.endpoints) > 1:
        at_resolution.error("DNS_ROUND_ROBIN has at most one endpoint: write DNS")


def _endpoint(at: Spot, entry: WorkloadEntry, spec: ServiceEntry, ports: frozenset[str]) -> None:
    endpoint(at, entry)
    for spot, name, _ in at.entries("ports", entry.ports):
        if name not in ports:
            spot.error(f"the service has no port {name!r}; it has: {', '.join(sorted(ports)) or 'none'}")
    is_unix = entry.address.startswith("unix://")
    if spec.resolution == "STATIC" and entry.address and not is_unix and not is_ip(entry.address):
        (at / "address").error(f"{entry.address!r} is no IP address: resolution STATIC looks up no names")
    if spec.resolution in _BY_NAME and is_unix:
        (at / "address").error(f"a Unix socket needs resolution STATIC, not {spec.resolution}")
    if is_unix and len(ports) != 1:
        (at / "address").error("a Unix socket serves one port: the service must have exactly one")
