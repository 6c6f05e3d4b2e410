"""The capture as an nftables ruleset: text only, nothing here touches the kernel.

The rules follow what Istio documents of its init container: a connection is left alone where redirecting it
would send the sidecar its own traffic, or cut off who asks for the sidecar's health and metrics.
"""

import ipaddress
from collections.abc import Iterable, Iterator

from proxy.capture.options import Capture, Network

TABLE = "vigla_capture"
OWN_PORTS = (15008, 15020, 15021, 15090)
"""Tunnel, agent, readiness, statistics: of the sidecar itself, never redirected."""

PASSTHROUGH_SOURCE = ipaddress.ip_address("127.0.0.6"), ipaddress.ip_address("::6")
"""Envoy calls the workload from these addresses (``proxy.translate.inbound_clusters``)."""

_BEGUN = "tcp flags & (syn | ack) != syn return"
"""The kernel takes a packet of a connection from before these rules for the first of a new one."""

_DNS = 53
_TUNNEL = 15008


def ruleset(capture: Capture) -> str:
    """One transaction that replaces whatever capture there was, for IPv4 and IPv6."""
    chains = [
        *_chain("inbound", "prerouting", _inbound(capture)),
        "",
        *_chain("outbound", "output", _outbound(capture)),
    ]
    return cleanup() + "\n".join([f"table inet {TABLE} {{", *chains, "}", ""])


def cleanup() -> str:
    """One transaction that leaves no capture, whether there was one or not."""
    return f"table inet {TABLE}\ndelete table inet {TABLE}\n"


def _chain(name: str, hook: str, rules: Iterable[str]) -> list[str]:
    head = f"type nat hook {hook} priority -100; policy accept;"
    return [f"  chain {name} {{", *(f"    {line}" for line in (head, *rules)), "  }"]


def _inbound(capture: Capture) -> Iterator[str]:
    wanted = capture.inbound_ports
    if wanted == ():
        return
    yield "meta l4proto != tcp return"
    yield _BEGUN
    yield "fib daddr type != local return"  # a router's or container host's traffic to others
    yield f"tcp dport {_set((*OWN_PORTS, *capture.exclude_inbound_ports))} return"
    which = "" if wanted is None else f"tcp dport {_set(wanted)} "
    yield f"meta l4proto tcp {which}redirect to :{capture.inbound_port}"


def _outbound(capture: Capture) -> Iterator[str]:
    wanted = capture.outbound_networks
    yield "meta l4proto != tcp return"
    yield _BEGUN
    for source in PASSTHROUGH_SOURCE:
        yield f'oifname "lo" {_family(source.version)} saddr {source} return'
    yield from _calls_to_itself(capture)
    yield 'oifname "lo" return'
    yield f"meta skuid {capture.proxy_uid} return"
    yield f"meta skgid {capture.proxy_gid} return"
    if capture.exclude_outbound_ports:
        yield f"tcp dport {_set(capture.exclude_outbound_ports)} return"
    yield from (f"{match} return" for match in _destinations(capture.exclude_outbound_networks))
    verdict = f"redirect to :{capture.outbound_port}"
    if wanted is None:
        yield f"meta l4proto tcp {verdict}"
    else:
        yield from (f"meta l4proto tcp {match} {verdict}" for match in _destinations(wanted))


def _calls_to_itself(capture: Capture) -> Iterator[str]:
    """A workload that calls its own service: Envoy sends that to the workload's address, over loopback.

    It has to come in by the sidecar's inbound side like any other call.
    """
    if capture.inbound_ports == ():
        return
    spared = _set((_DNS, _TUNNEL, *OWN_PORTS, *capture.exclude_inbound_ports))
    which = f"tcp dport != {spared}"
    if capture.inbound_ports is not None:
        which += f" tcp dport {_set(capture.inbound_ports)}"
    for match in ("ip daddr != 127.0.0.0/8", "ip6 daddr != ::1"):
        for owner in (f"skuid {capture.proxy_uid}", f"skgid {capture.proxy_gid}"):
            yield f'oifname "lo" {match} meta {owner} {which} redirect to :{capture.inbound_port}'


def _destinations(networks: Iterable[Network]) -> Iterator[str]:
    by_version: dict[int, list[Network]] = {}
    for network in networks:
        by_version.setdefault(network.version, []).append(network)
    for version, found in sorted(by_version.items()):
        yield f"{_family(version)} daddr {{ {', '.join(map(str, found))} }}"


def _family(version: int) -> str:
    return {4: "ip", 6: "ip6"}[version]


def _set(ports: Iterable[int]) -> str:
    return f"{{ {', '.join(map(str, sorted(set(ports))))} }}"
