"""Deployments: services that disagree about their ports, and the sidecar's user."""

from collections import defaultdict
from collections.abc import Iterator

from proxy.analyze.context import Context, selects
from proxy.analyze.messages import Message, message
from proxy.api.base import Model
from proxy.api.kubernetes import Deployment, PodSpec, Service, ServicePort
from proxy.config.objects import ConfigObject, Path
from proxy.registry.model import Protocol
from proxy.registry.protocols import port_protocol

_INJECT = "sidecar.istio.io/inject"
_SIDECAR_UID = 1337
_TEMPLATE: Path = ("spec", "template")


def services(context: Context) -> Iterator[Message]:
    """Services of one Deployment with one port of two protocols, or two ports for one target."""
    for o in context.objects.all(Deployment):
        meta = o.spec.template.metadata
        if meta.labels.get(_INJECT, meta.annotations.get(_INJECT)) == "false":
            continue
        used = [
            (service.name, port)
            for service in context.objects.all(Service)
            if service.namespace == o.namespace
            and service.spec.selector
            and selects(service.spec.selector, meta.labels)
            for port in service.spec.ports
        ]
        yield from _protocols(o, used)
        yield from _targets(o, used)


def users(context: Context) -> Iterator[Message]:
    """Applications that run as the sidecar's user."""
    for pod in context.objects.all(PodSpec):
        yield from _user(pod, pod.spec, ("spec",))
    for o in context.objects.all(Deployment):
        yield from _user(o, o.spec.template.spec, (*_TEMPLATE, "spec"))


def _protocols(o: ConfigObject[Deployment], used: list[tuple[str, ServicePort]]) -> Iterator[Message]:
    found: dict[int, set[str]] = defaultdict(set)
    for _, port in used:
        protocol = port_protocol(port.name, port.app_protocol)
        if port.protocol not in ("UDP", "SCTP") and protocol != Protocol.AUTO:
            found[port.port].add(protocol.value)
    for number, protocols in sorted(found.items()):
        if len(protocols) > 1:
            args = (o.name, number, ", ".join(sorted(protocols)))
            yield message("DeploymentAssociatedToMultipleServices", o, _TEMPLATE, *args)


def _targets(o: ConfigObject[Deployment], used: list[tuple[str, ServicePort]]) -> Iterator[Message]:
    found: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for service, port in used:
        found[str(port.target_port or port.port)].add((port.port, service))
    for target, users in sorted(found.items()):
        numbers, names = {number for number, _ in users}, {name for _, name in users}
        if len(numbers) > 1 and len(names) > 1:
            args = (o.name, sorted(names), target, sorted(numbers))
            yield message("DeploymentConflictingPorts", o, _TEMPLATE, *args)


def _user(o: ConfigObject[Model], spec: PodSpec, path: Path) -> Iterator[Message]:
    contexts = [
        spec.security_context,
        *(c.security_context for c in spec.containers if c.name != "istio-proxy"),
    ]
    if any(context.get("runAsUser") == _SIDECAR_UID for context in contexts):
        yield message("InvalidApplicationUID", o, path)
