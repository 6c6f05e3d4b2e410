"""Objects of one kind that share workloads: Sidecar and Telemetry."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from proxy.analyze.context import Context, selects, shown
from proxy.analyze.messages import Message, message
from proxy.api.base import Model
from proxy.api.kubernetes import Empty, PodSpec
from proxy.api.sidecar import Sidecar
from proxy.api.telemetry import Telemetry
from proxy.config.objects import ConfigObject, Path

Selected = list[tuple[ConfigObject[Model], Mapping[str, str]]]
_SIDECAR: Path = ("spec", "workloadSelector", "labels")
_REDIRECTION = "ambient.istio.io/redirection"
_TELEMETRY: Path = ("spec", "selector", "matchLabels")


def sidecar_selectors(context: Context) -> Iterator[Message]:
    """Sidecars whose selector finds nothing, or the pods of another one."""
    found = _sidecars(context)
    for sidecar, selector in found:
        if selector and not context.selected(selector, sidecar.namespace):
            yield message("ReferencedResourceNotFound", sidecar, _SIDECAR, "selector", shown(selector))
    yield from _overlaps(context, found, "ConflictingSidecarWorkloadSelectors", _SIDECAR)


def sidecar_defaults(context: Context) -> Iterator[Message]:
    """Several Sidecars without selector in a namespace, and Sidecars of pods that have no sidecar."""
    found = _sidecars(context)
    yield from _defaults(found, "MultipleSidecarsWithoutWorkloadSelectors")
    ambient = {o.name for o in context.objects.all(Empty) if o.kind.name == "Namespace" and _is_ambient(o)}
    for sidecar, selector in found:
        pods = [
            pod
            for pod in context.objects.all(PodSpec)
            if selector and pod.namespace == sidecar.namespace and selects(selector, pod.labels)
        ]
        without = [pod for pod in pods if pod.annotations.get(_REDIRECTION) == "enabled"]
        if without == pods if pods else sidecar.namespace in ambient:
            text = "its workloads are in ambient mode and have no sidecar"
            yield message("IneffectivePolicy", sidecar, ("spec",), text)


def telemetry_selectors(context: Context) -> Iterator[Message]:
    """Telemetries whose selector finds nothing, or the pods of another one."""
    found = _telemetries(context)
    for telemetry, selector in found:
        if selector and not context.selected(selector, telemetry.namespace):
            yield message("ReferencedResourceNotFound", telemetry, _TELEMETRY, "selector", shown(selector))
    yield from _overlaps(context, found, "ConflictingTelemetryWorkloadSelectors", _TELEMETRY)


def telemetry_defaults(context: Context) -> Iterator[Message]:
    """Several Telemetries without selector in a namespace."""
    return _defaults(_telemetries(context), "MultipleTelemetriesWithoutWorkloadSelectors")


def _is_ambient(namespace: ConfigObject[Empty]) -> bool:
    labels = namespace.labels
    injected = labels.get("istio-injection") == "enabled" or "istio.io/rev" in labels
    return labels.get("istio.io/dataplane-mode") == "ambient" and not injected


def _sidecars(context: Context) -> Selected:
    return [
        (o, o.spec.workload_selector.labels if o.spec.workload_selector else {})
        for o in context.objects.all(Sidecar)
    ]


def _telemetries(context: Context) -> Selected:
    return [
        (o, o.spec.selector.match_labels if o.spec.selector else {})
        for o in context.objects.all(Telemetry)
        if not o.spec.target_ref and not o.spec.target_refs
    ]


def _overlaps(context: Context, found: Selected, name: str, path: Path) -> Iterator[Message]:
    said = set()
    for pod in context.workloads:
        same = [o for o, s in found if s and o.namespace == pod.namespace and selects(s, pod.labels)]
        names = sorted(o.name for o in same)
        for o in same if len(same) > 1 else ():
            if (o.key, tuple(names)) not in said:
                said.add((o.key, tuple(names)))
                yield message(name, o, path, names, pod.namespace, pod.name)


def _defaults(found: Selected, name: str) -> Iterator[Message]:
    groups = defaultdict(list)
    for o, selector in found:
        if not selector:
            groups[o.namespace].append(o)
    for namespace, same in groups.items():
        for o in same if len(same) > 1 else ():
            yield message(name, o, ("spec",), sorted(x.name for x in same), namespace)
