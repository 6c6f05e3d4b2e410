"""What is captured, as the command line says it; the names are those of Istio's init container."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from vigla.errors import SettingsError

ALL = "*"
PROXY_ID = 1337
OUTBOUND_PORT, INBOUND_PORT = 15001, 15006
MAX_PORT = 65_535
MAX_ID = 2**32 - 2

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Capture:
    """Which connections go to the sidecar.

    Attributes:
        inbound_ports: connections to these of the workload's ports; None: to all.
        exclude_inbound_ports: of ``inbound_ports``, those left alone.
        outbound_networks: the workload's connections to these addresses; None: to all.
        exclude_outbound_networks: of ``outbound_networks``, those left alone.
        exclude_outbound_ports: the workload's connections to these ports are left alone.
        proxy_uid: user that Envoy runs as: its own connections are left alone.
        proxy_gid: its group, likewise.
        outbound_port: where Envoy takes the workload's connections (``virtualOutbound``).
        inbound_port: where Envoy takes connections to the workload (``virtualInbound``).
    """

    inbound_ports: tuple[int, ...] | None = None
    exclude_inbound_ports: tuple[int, ...] = ()
    outbound_networks: tuple[Network, ...] | None = None
    exclude_outbound_networks: tuple[Network, ...] = ()
    exclude_outbound_ports: tuple[int, ...] = ()
    proxy_uid: int = PROXY_ID
    proxy_gid: int = PROXY_ID
    outbound_port: int = OUTBOUND_PORT
    inbound_port: int = INBOUND_PORT


def ports(text: str, option: str) -> tuple[int, ...] | None:
    """Port numbers, sorted; None stands for all of them.

    Args:
        text: ``80,443``, ``*`` or nothing.
        option: named in errors.

    Raises:
        SettingsError: something in it is no port.
    """
    if text.strip() == ALL:
        return None
    return tuple(sorted({_port(part, option) for part in _parts(text)}))


def listed_ports(text: str, option: str) -> tuple[int, ...]:
    """Like ``ports``, where "all" makes no sense.

    Raises:
        SettingsError: something in it is no port.
    """
    return tuple(sorted({_port(part, option) for part in _parts(text)}))


def networks(text: str, option: str) -> tuple[Network, ...] | None:
    """Networks without overlaps, IPv4 first; None stands for all of them.

    Args:
        text: ``10.0.0.0/8,fd00::/8``, ``*`` or nothing; an address alone is a network of one.
        option: named in errors.

    Raises:
        SettingsError: something in it is no network.
    """
    return None if text.strip() == ALL else listed_networks(text, option)


def listed_networks(text: str, option: str) -> tuple[Network, ...]:
    """Like ``networks``, where "all" makes no sense.

    Raises:
        SettingsError: something in it is no network.
    """
    found = [_network(part, option) for part in _parts(text)]
    v4 = (n for n in found if isinstance(n, ipaddress.IPv4Network))
    v6 = (n for n in found if isinstance(n, ipaddress.IPv6Network))
    return (*ipaddress.collapse_addresses(v4), *ipaddress.collapse_addresses(v6))


def _parts(text: str) -> Iterable[str]:
    return (part.strip() for part in text.split(",") if part.strip())


def _port(text: str, option: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) <= MAX_PORT:
        return int(text)
    raise SettingsError(f"{option} {text!r}: write ports from 1 to {MAX_PORT} with commas between: 80,443")


def _network(text: str, option: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise SettingsError(
            f"{option} {text!r}: {error}: write networks with commas between: 10.0.0.0/8,fd00::/8"
        ) from None
