"""ServiceEntries."""

from collections import defaultdict
from collections.abc import Iterator

from proxy.analyze.context import Context, visible
from proxy.analyze.messages import Message, message
from proxy.api.service_entry import ServiceEntry
from proxy.config.objects import ConfigObject

_CAPTURE, _ALLOCATE = "ISTIO_META_DNS_CAPTURE", "ISTIO_META_DNS_AUTO_ALLOCATE"


def addresses(context: Context) -> Iterator[Message]:
    """TCP ports without addresses: their traffic cannot be told apart by host."""
    metadata = context.mesh.default_config.proxy_metadata
    captured = metadata.get(_CAPTURE) == "true"
    if captured and metadata.get(_ALLOCATE) == "true":
        return
    for entry in context.objects.all(ServiceEntry):
        if entry.spec.addresses or (captured and _allocated(entry)):
            continue
        for index, port in enumerate(entry.spec.ports):
            if port.protocol.upper() in ("", "TCP"):
                yield message("ServiceEntryAddressesRequired", entry, ("spec", "ports", index))


def protocols(context: Context) -> Iterator[Message]:
    """One host and port with different protocols, seen by the same namespaces."""
    groups: dict[tuple[str, int], list[tuple[ConfigObject[ServiceEntry], str]]] = defaultdict(list)
    for entry in context.objects.all(ServiceEntry):
        for host in entry.spec.hosts:
            for port in entry.spec.ports:
                groups[host, port.number].append((entry, port.protocol.upper() or "TCP"))
    for (host, number), found in groups.items():
        for entry, protocol in found:
            others = [
                (o, p) for o, p in found if o.key != entry.key and p != protocol and share_viewers(entry, o)
            ]
            if others:
                names = ", ".join(sorted(str(o.key) for o, _ in [(entry, protocol), *others]))
                used = ", ".join(sorted({protocol, *(p for _, p in others)}))
                args = (names, host, number, used)
                yield message("ConflictingServiceEntryProtocol", entry, ("spec", "ports"), *args)


def _allocated(entry: ConfigObject[ServiceEntry]) -> bool:
    """Whether a controller gave it addresses, which proxies answer DNS questions with."""
    status = entry.document.get("status")
    return isinstance(status, dict) and bool(status.get("addresses"))


def share_viewers(one: ConfigObject[ServiceEntry], two: ConfigObject[ServiceEntry]) -> bool:
    """Whether some namespace sees both."""
    to = (*one.spec.export_to, *two.spec.export_to, one.namespace, two.namespace, "*")
    named = {n for n in to if n != "."}
    return any(
        visible(one.spec.export_to, one.namespace, n) and visible(two.spec.export_to, two.namespace, n)
        for n in named
    )
