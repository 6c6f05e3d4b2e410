"""Names of service ports."""

from collections.abc import Iterator

from proxy.analyze.context import Context
from proxy.analyze.kiali.messages import finding
from proxy.analyze.messages import Message
from proxy.analyze.service import SYSTEM, tells_protocol
from proxy.api.kubernetes import Service


def port_names(context: Context) -> Iterator[Message]:
    """KIA0601: TCP ports whose name tells no protocol."""
    for o in context.objects.all(Service):
        for index, port in enumerate(() if o.namespace in SYSTEM else o.spec.ports):
            if port.protocol == "TCP" and not tells_protocol(port):
                yield finding("port.name.mismatch", o, ("spec", "ports", index, "name"), port.name)
