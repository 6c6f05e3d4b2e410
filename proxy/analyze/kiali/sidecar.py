"""Sidecars: hosts that are not there, and settings that do not mean what they seem to."""

from collections.abc import Iterator

from proxy.analyze.context import Context, full_host
from proxy.analyze.kiali.messages import finding
from proxy.analyze.kiali.scope import seen, service_host
from proxy.analyze.messages import Message
from proxy.api.sidecar import Sidecar
from proxy.api.virtual_service import VirtualService


def egress(context: Context) -> Iterator[Message]:
    """KIA1004: hosts without wildcard that no service or VirtualService has that the namespace sees."""
    for o in context.objects.all(Sidecar):
        for i, listener in enumerate(o.spec.egress):
            for j, written in enumerate(listener.hosts):
                scope, _, host = written.rpartition("/")
                owner = o.namespace if scope == "." else scope
                if scope != "~" and "*" not in host and not _found(context, host, owner, o.namespace):
                    path = ("spec", "egress", i, "hosts", j)
                    yield finding("sidecar.egress.servicenotfound", o, path, written)


def defaults(context: Context) -> Iterator[Message]:
    """KIA1006: the mesh's default Sidecar with a selector."""
    for o in context.objects.all(Sidecar):
        selector = o.spec.workload_selector
        if o.namespace == context.mesh.root_namespace and selector and selector.labels:
            yield finding("sidecar.global.selector", o, ("spec", "workloadSelector"))


def outbound_modes(context: Context) -> Iterator[Message]:
    """KIA1007: an ``outboundTrafficPolicy`` that leaves the mode open."""
    for o in context.objects.all(Sidecar):
        policy = o.spec.outbound_traffic_policy
        if policy and "mode" not in policy.model_fields_set:
            path = ("spec", "outboundTrafficPolicy")
            yield finding("sidecar.outboundtrafficpolicy.mode.ambiguous", o, path)


def _found(context: Context, host: str, owner: str, viewer: str) -> bool:
    """Whether the namespace ``owner`` (``*``: any) has the host, and ``viewer`` sees it."""
    name = service_host(context, host, viewer if owner in ("", "*") else owner)
    hosts = (h for h in context.hosts.get(name, ()) if owner in ("", "*", h.namespace))
    routes = (
        o
        for o in context.objects.all(VirtualService)
        if owner in ("", "*", o.namespace) and name in {full_host(h, o.namespace) for h in o.spec.hosts}
    )
    return any(h.visible(viewer) for h in hosts) or any(seen(context, o, viewer) for o in routes)
