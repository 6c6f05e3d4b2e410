"""AuthorizationPolicies: workloads that are not there, and namespaces."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from proxy.analyze.context import Context, shown
from proxy.analyze.messages import Message, message
from proxy.api.kubernetes import Deployment, Empty, PodSpec, Service
from proxy.api.security import AuthorizationPolicy
from proxy.api.service_entry import WorkloadEntry
from proxy.config.objects import ConfigObject, Path


def policies(context: Context) -> Iterator[Message]:
    """Policies for no workload, and sources of namespaces that nothing is in."""
    known = _namespaces(context)
    for o in context.objects.all(AuthorizationPolicy):
        if not o.spec.target_ref and not o.spec.target_refs:
            yield from _unmatched(context, o)
        for path, pattern in _sources(o.spec):
            if not any(_matches(pattern, namespace) for namespace in known):
                yield message("ReferencedResourceNotFound", o, path, "namespace", pattern)


def _unmatched(context: Context, o: ConfigObject[AuthorizationPolicy]) -> Iterator[Message]:
    selector = o.spec.selector.match_labels if o.spec.selector else {}
    of_mesh = o.namespace == context.mesh.root_namespace
    if of_mesh and not selector:
        return
    if not context.selected(selector, None if of_mesh else o.namespace):
        path = ("spec", "selector", "matchLabels") if selector else ("spec",)
        yield message("NoMatchingWorkloadsFound", o, path, shown(selector))


def _namespaces(context: Context) -> set[str]:
    """Those that are declared, and those where something runs."""
    declared = {o.name for o in context.objects.all(Empty) if o.kind.name == "Namespace"}
    kinds = (Service, PodSpec, Deployment, WorkloadEntry)
    return declared | {o.namespace for kind in kinds for o in context.objects.all(kind)}


def _sources(spec: AuthorizationPolicy) -> Iterator[tuple[Path, str]]:
    for i, rule in enumerate(spec.rules):
        for j, part in enumerate(rule.from_):
            if part.source is None:
                continue
            at: Path = ("spec", "rules", i, "from", j, "source")
            yield from _named((*at, "namespaces"), part.source.namespaces)
            yield from _named((*at, "notNamespaces"), part.source.not_namespaces)


def _named(path: Path, patterns: Iterable[str]) -> Iterator[tuple[Path, str]]:
    return (((*path, index), pattern) for index, pattern in enumerate(patterns))


def _matches(pattern: str, namespace: str) -> bool:
    return fnmatchcase(namespace, pattern) if "*" in pattern else pattern == namespace
