"""Names under which services are called."""

import ipaddress

from proxy.registry.model import Service
from proxy.translate.names import matches


def overlap(one: str, other: str) -> bool:
    """Whether there is a host that both patterns cover."""
    return matches(one, other) or matches(other, one)


def inbound_cluster(port: int) -> str:
    """Of an inbound cluster."""
    return f"inbound|{port}||"


def is_ip(address: str) -> bool:
    """Whether it is an IP address, not a name or a socket."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


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
