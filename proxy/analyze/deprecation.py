"""Fields that should not be used any more."""

from collections.abc import Iterator

from proxy.analyze.context import Context
from proxy.analyze.messages import Message, message
from proxy.api.sidecar import Sidecar
from proxy.api.virtual_service import VirtualService


def fields(context: Context) -> Iterator[Message]:
    """Whole percents of faults, and an egress proxy of a Sidecar."""
    for o in context.objects.all(VirtualService):
        for index, route in enumerate(o.spec.http):
            if route.fault and route.fault.delay and route.fault.delay.percent:
                path = ("spec", "http", index, "fault", "delay", "percent")
                yield message("Deprecated", o, path, "fault.delay.percent; use percentage")
    for sidecar in context.objects.all(Sidecar):
        if sidecar.spec.outbound_traffic_policy and sidecar.spec.outbound_traffic_policy.egress_proxy:
            where = ("spec", "outboundTrafficPolicy", "egressProxy")
            yield message("Deprecated", sidecar, where, "outboundTrafficPolicy.egressProxy")
