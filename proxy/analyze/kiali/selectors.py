"""Objects that select workloads: none, or the same as another object of their kind."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from proxy.analyze.context import Context, selects, shown
from proxy.analyze.kiali.messages import finding
from proxy.analyze.kiali.scope import names
from proxy.analyze.messages import Message
from proxy.api.extension import EnvoyFilter, WasmPlugin
from proxy.api.security import AuthorizationPolicy, PeerAuthentication, RequestAuthentication
from proxy.api.sidecar import Sidecar
from proxy.api.telemetry import Telemetry
from proxy.config.objects import ConfigObject, Path

_Selecting = (
    AuthorizationPolicy
    | EnvoyFilter
    | PeerAuthentication
    | RequestAuthentication
    | Sidecar
    | Telemetry
    | WasmPlugin
)


def workloads(context: Context) -> Iterator[Message]:
    """KIA0004: selectors that find nothing in their namespace, or for the root namespace in any."""
    objects = context.objects
    every: tuple[ConfigObject[_Selecting], ...] = (
        *objects.all(AuthorizationPolicy),
        *objects.all(EnvoyFilter),
        *objects.all(PeerAuthentication),
        *objects.all(RequestAuthentication),
        *objects.all(Sidecar),
        *objects.all(Telemetry),
        *objects.all(WasmPlugin),
    )
    for o in every:
        labels = _labels(o.spec)
        namespace = None if o.namespace == context.mesh.root_namespace else o.namespace
        if labels and not context.selected(labels, namespace):
            yield finding("generic.selector.workloadnotfound", o, _path(o.spec), shown(labels))


def repeated(context: Context) -> Iterator[Message]:
    """KIA0002 and KIA0003: of kinds of which only one object counts for a workload."""
    yield from _repeated(context, context.objects.all(PeerAuthentication))
    yield from _repeated(context, context.objects.all(Sidecar))


def _repeated(
    context: Context, found: Sequence[ConfigObject[PeerAuthentication] | ConfigObject[Sidecar]]
) -> Iterator[Message]:
    defaults = defaultdict(list)
    for o in found:
        if not _labels(o.spec):
            defaults[o.namespace].append(o)
    for namespace, same in defaults.items():
        for o in same if len(same) > 1 else ():
            args = (o.kind.name, names(same), namespace)
            yield finding("generic.multimatch.selectorless", o, ("spec",), *args)
    told = set()
    for workload in context.workloads:
        same = [
            o
            for o in found
            if o.namespace == workload.namespace
            and (own := _labels(o.spec))
            and selects(own, workload.labels)
        ]
        for o in same if len(same) > 1 else ():
            if o.key not in told:
                told.add(o.key)
                args = (o.kind.name, names(same), f"{workload.namespace}/{workload.name}")
                yield finding("generic.multimatch.selector", o, _path(o.spec), *args)


def _labels(spec: _Selecting) -> Mapping[str, str]:
    if isinstance(spec, Sidecar | EnvoyFilter):
        return spec.workload_selector.labels if spec.workload_selector else {}
    return spec.selector.match_labels if spec.selector else {}


def _path(spec: _Selecting) -> Path:
    return ("spec", "workloadSelector" if isinstance(spec, Sidecar | EnvoyFilter) else "selector")
