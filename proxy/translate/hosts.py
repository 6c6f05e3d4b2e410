"""Host names: short ones, wildcards, and the names made of them."""

import ipaddress

from proxy.registry.model import Service


def resolve(host: str, namespace: str, domain: str) -> str:
    """A host of a configuration object in full: one without dots is a service of the object's namespace."""
    if "." in host or host == "*":
        return host
    return f"{host}.{namespace}.svc.{domain}" if domain else f"{host}.{namespace}"


def matches(pattern: str, host: str) -> bool:
    """Whether a pattern (a name, ``*`` or ``*.suffix``) covers a host, which may have a wildcard too."""
    if pattern == host or pattern == "*":
        return True
    return pattern.startswith("*") and host.endswith(pattern[1:]) and len(host) >= len(pattern)


def overlap(one: str, other: str) -> bool:
    """Whether there is a host that both patterns cover."""
    return matches(one, other) or matches(other, one)


def specificity(pattern: str) -> tuple[bool, int]:
    """Sort key: exact names come before wildcards, long wildcards before short ones."""
    return (pattern.startswith("*"), -len(pattern))


def cluster_name(port: int, subset: str, host: str) -> str:
    """Of an outbound cluster."""
    return f"outbound|{port}|{subset}|{host}"


def server_name(port: int, subset: str, host: str) -> str:
    """What a client of the mesh sends as SNI to this cluster."""
    return f"outbound_.{port}_.{subset}_.{host}"


def inbound_cluster(port: int) -> str:
    """Of an inbound cluster."""
    return f"inbound|{port}||"


def prefix_range(block: str) -> dict[str, object]:
    """``10.0.0.0/8`` or one address, as Envoy's CidrRange."""
    network = ipaddress.ip_network(block, strict=False)
    return {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen}


def domains_of(service: Service, namespace: str, domain: str) -> list[str]:
    """Names under which a proxy in this namespace calls the service: full, short, and its addresses.

    Args:
        service: which one.
        namespace: of the caller.
        domain: suffix of service names.
    """
    names = [service.hostname]
    suffix = f".svc.{domain}" if domain else ""
    if suffix and service.hostname.endswith(suffix):
        short = service.hostname.removesuffix(suffix)
        name, _, own = short.rpartition(".")
        if name and own == namespace:
            names.append(name)
        names += [short, f"{short}.svc"]
    return names


def host_addresses(service: Service) -> list[str]:
    """The service's single addresses, as they stand in a Host header."""
    every = [a for a in service.addresses if "/" not in a]
    return [f"[{a}]" if ":" in a else a for a in every]
