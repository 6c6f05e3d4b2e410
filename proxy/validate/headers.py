"""Header operations of routes."""

from proxy.api.virtual_service import HeaderOperations, Headers
from proxy.validate import checks
from proxy.validate.spot import Spot

_HOST = frozenset({"host", ":authority"})


def operations(at: Spot, headers: Headers | None) -> None:
    """``headers`` of a route or of a destination; only a request's host may be set."""
    if headers is None:
        return
    _of_message(at / "request", headers.request, host=True)
    _of_message(at / "response", headers.response, host=False)


def _of_message(at: Spot, found: HeaderOperations | None, *, host: bool) -> None:
    if found is None:
        return
    for name, values in (("set", found.set), ("add", found.add)):
        for spot, header, value in at.entries(name, values):
            _name(spot, header, host=host)
            checks.header_value(spot, value)
    for spot, header in at.each("remove", found.remove):
        _name(spot, header, host=False)


def _name(at: Spot, header: str, *, host: bool) -> None:
    if header.lower() in _HOST:
        if not host:
            at.error(f"{header!r} cannot be changed here")
    elif header.startswith(":"):
        at.error(f"{header!r} cannot be changed: it is part of the request line")
    else:
        checks.header_name(at, header)
