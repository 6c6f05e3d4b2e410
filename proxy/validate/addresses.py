"""Checks of addresses: IP, CIDR, Unix sockets."""

import ipaddress

from proxy.validate.checks import host_fault
from proxy.validate.spot import Spot

UNIX = "unix://"


def is_ip(text: str) -> bool:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_subnet(text: str) -> bool:
    """An address, or a CIDR block; bits beyond the prefix may be set."""
    address, slash, bits = text.partition("/")
    if not is_ip(address):
        return False
    return not slash or (bits.isdecimal() and int(bits) <= ipaddress.ip_address(address).max_prefixlen)


def ip(at: Spot, text: str) -> None:
    """An IP address."""
    if not is_ip(text):
        at.error(f"{text!r} is no IP address")


def subnet(at: Spot, text: str) -> None:
    """An IP address or a CIDR block."""
    if not is_subnet(text):
        at.error(f"{text!r} is no IP address or CIDR block")


def unix(at: Spot, address: str) -> None:
    """``unix:///path/of/socket`` or ``unix://@abstract``."""
    path = address.removeprefix(UNIX)
    if path.startswith("@"):
        return
    if not path.startswith("/"):
        at.error(
            f"{address!r} needs an absolute path (unix:///run/app.sock) or an abstract name (unix://@app)"
        )
    elif path.endswith("/"):
        at.error(f"{address!r} is a folder: name the socket in it")


def ip_or_host(at: Spot, text: str) -> None:
    """An IP address or a DNS name."""
    if not is_ip(text) and host_fault(text):
        at.error(f"{text!r} is no IP address and no DNS name")


def bind(at: Spot, address: str, number: int) -> None:
    """The address of a listener: an IP address, or a Unix socket without port."""
    if address.startswith(UNIX):
        unix(at / "bind", address)
        if number:
            (at / "port" / "number").error("a Unix socket has no port: write 0")
    elif address:
        ip(at / "bind", address)
