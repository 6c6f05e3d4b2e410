"""AuthorizationPolicies that name what is not there, and workloads that none is for."""

from collections.abc import Iterable, Iterator

from proxy.analyze.context import Context, host_covers, selects
from proxy.analyze.kiali.messages import finding
from proxy.analyze.kiali.scope import is_known
from proxy.analyze.messages import Message
from proxy.api.base import Model
from proxy.api.gateway import Gateway
from proxy.api.kubernetes import Deployment, Empty, PodSpec
from proxy.api.security import AuthorizationPolicy, Operation, Source
from proxy.api.service_entry import ServiceEntry, WorkloadEntry, WorkloadGroup
from proxy.api.virtual_service import VirtualService
from proxy.config.objects import ConfigObject, Path

_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
_PRINCIPAL_PARTS = 5  # trust domain, "ns", namespace, "sa", service account


def sources(context: Context) -> Iterator[Message]:
    """KIA0101 and KIA0106: namespaces and service accounts that are not there."""
    accounts = frozenset(_accounts(context))
    domains = (context.mesh.trust_domain, *context.mesh.trust_domain_aliases)
    for o in context.objects.all(AuthorizationPolicy):
        for at, source in _sources(o.spec):
            for path, name in _each(
                at, ("namespaces", source.namespaces), ("notNamespaces", source.not_namespaces)
            ):
                if not any(_matches(name, known) for known in context.namespaces):
                    yield finding("authorizationpolicy.source.namespacenotfound", o, path, name)
            given = (("principals", source.principals), ("notPrincipals", source.not_principals))
            for path, principal in _each(at, *given):
                account = _account(principal, domains)
                if account and account not in accounts:
                    yield finding("authorizationpolicy.source.principalnotfound", o, path, *account)


def operations(context: Context) -> Iterator[Message]:
    """KIA0102 and KIA0104: methods that are none, and hosts that nothing serves."""
    edge = {
        host.rpartition("/")[2]
        for gateway in context.objects.all(Gateway)
        for server in gateway.spec.servers
        for host in server.hosts
    }
    edge |= {host for service in context.objects.all(VirtualService) for host in service.spec.hosts}
    for o in context.objects.all(AuthorizationPolicy):
        for at, operation in _operations(o.spec):
            given = (("methods", operation.methods), ("notMethods", operation.not_methods))
            for path, method in _each(at, *given):
                if method not in _METHODS and not (method.startswith("*") or method.endswith("*")):
                    yield finding("authorizationpolicy.to.wrongmethod", o, path, method)
            for path, host in _each(at, ("hosts", operation.hosts), ("notHosts", operation.not_hosts)):
                if not _served(context, host, o.namespace, edge):
                    yield finding("authorizationpolicy.nodest.matchingregistry", o, path, host)


def coverage(context: Context) -> Iterator[Message]:
    """KIA1301: workloads that no policy is for, in a mesh that has policies."""
    root = context.mesh.root_namespace
    policies = [
        (o.namespace, o.spec.selector.match_labels if o.spec.selector else {})
        for o in context.objects.all(AuthorizationPolicy)
        if not o.spec.target_ref and not o.spec.target_refs
    ]
    for o in _workloads(context) if policies else ():
        labels = _labels_of(o)
        if not any(owner in (root, o.namespace) and selects(own, labels) for owner, own in policies):
            yield finding("workload.authorizationpolicy.needstobecovered", o, ("metadata",))


def _sources(spec: AuthorizationPolicy) -> Iterator[tuple[Path, Source]]:
    for i, rule in enumerate(spec.rules):
        for j, part in enumerate(rule.from_):
            if part.source:
                yield ("spec", "rules", i, "from", j, "source"), part.source


def _operations(spec: AuthorizationPolicy) -> Iterator[tuple[Path, Operation]]:
    for i, rule in enumerate(spec.rules):
        for j, part in enumerate(rule.to):
            if part.operation:
                yield ("spec", "rules", i, "to", j, "operation"), part.operation


def _each(at: Path, *fields: tuple[str, Iterable[str]]) -> Iterator[tuple[Path, str]]:
    for name, values in fields:
        yield from (((*at, name, index), value) for index, value in enumerate(values))


def _matches(pattern: str, name: str) -> bool:
    """As AuthorizationPolicies compare: whole, or by a beginning or an end."""
    if pattern.startswith("*"):
        return name.endswith(pattern[1:])
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _account(principal: str, domains: Iterable[str]) -> tuple[str, str] | None:
    """Namespace and service account; None: a wildcard, or of a mesh that is not known here."""
    parts = principal.removeprefix("spiffe://").split("/")
    if "*" in principal or len(parts) != _PRINCIPAL_PARTS or parts[0] not in domains:
        return None
    return (parts[2], parts[4]) if (parts[1], parts[3]) == ("ns", "sa") else None


def _accounts(context: Context) -> Iterator[tuple[str, str]]:
    """Namespace and name of all service accounts: declared, or some workload's."""
    objects = context.objects
    for empty in objects.all(Empty):
        if empty.kind.name == "ServiceAccount":
            yield empty.namespace, empty.name
    for pod in objects.all(PodSpec):
        yield pod.namespace, pod.spec.service_account_name or "default"
    for deployment in objects.all(Deployment):
        yield deployment.namespace, deployment.spec.template.spec.service_account_name or "default"
    for entry in objects.all(WorkloadEntry):
        yield entry.namespace, entry.spec.service_account or "default"
    for group in objects.all(WorkloadGroup):
        if group.spec.template:
            yield group.namespace, group.spec.template.service_account or "default"
    for service in objects.all(ServiceEntry):
        yield from ((service.namespace, e.service_account or "default") for e in service.spec.endpoints)


def _served(context: Context, written: str, namespace: str, edge: Iterable[str]) -> bool:
    host = written.partition(":")[0]
    if host == "*" or any(host_covers(known, host.removesuffix("*")) for known in edge):
        return True
    if "*" in host:
        return any(_matches(host, known) for known in (*context.hosts, *edge))
    return is_known(context, host, namespace)


def _workloads(context: Context) -> tuple[ConfigObject[Model], ...]:
    """The objects of the context's workloads."""
    keys = {(w.namespace, w.name) for w in context.workloads}
    objects = context.objects
    every = (*objects.all(PodSpec), *objects.all(WorkloadEntry), *objects.all(Deployment))
    return tuple(o for o in every if (o.namespace, o.name) in keys)


def _labels_of(o: ConfigObject[Model]) -> dict[str, str]:
    if isinstance(o.spec, WorkloadEntry):
        return {**o.labels, **o.spec.labels}
    return dict(o.spec.template.metadata.labels if isinstance(o.spec, Deployment) else o.labels)
