"""ServiceEntries that define the same host and port."""

from collections import defaultdict
from collections.abc import Iterator

from proxy.analyze.context import Context
from proxy.analyze.kiali.messages import finding
from proxy.analyze.kiali.scope import names
from proxy.analyze.messages import Message
from proxy.analyze.service_entry import share_viewers
from proxy.api.service_entry import ServiceEntry
from proxy.config.objects import ConfigObject, Path

Claim = tuple[ConfigObject[ServiceEntry], int, str]
"""Entry, index of its port, protocol."""


def repeated(context: Context) -> Iterator[Message]:
    """KIA1211, and KIA1212 where their protocols differ."""
    claims: dict[tuple[str, int], list[Claim]] = defaultdict(list)
    for o in context.objects.all(ServiceEntry):
        for index, port in enumerate(o.spec.ports):
            for host in o.spec.hosts:
                claims[host, port.number].append((o, index, port.protocol.upper() or "TCP"))
    for (host, number), found in claims.items():
        for o, index, protocol in found if len(found) > 1 else ():
            rivals = [c for c in found if c[0].key != o.key and share_viewers(o, c[0])]
            if not rivals:
                continue
            who, path = names([o, *(c[0] for c in rivals)]), _path(index)
            yield finding("serviceentries.multimatch", o, path, who, host, number)
            used = sorted({protocol, *(c[2] for c in rivals)})
            if len(used) > 1:
                args = (who, host, number, ", ".join(used))
                yield finding("serviceentries.port.protocol.conflict", o, path, *args)


def _path(index: int) -> Path:
    return ("spec", "ports", index)
