"""Mutual TLS: who offers it, who asks for it, and the policies that need it."""

from collections.abc import Iterable, Iterator, Mapping

from proxy.analyze.context import SUFFIX, Context, selects
from proxy.analyze.kiali.messages import finding
from proxy.analyze.kiali.scope import names, service_host
from proxy.analyze.messages import Message
from proxy.api.destination_rule import DestinationRule
from proxy.api.kubernetes import Service
from proxy.api.security import AuthorizationPolicy, PeerAuthentication
from proxy.api.service_entry import ServiceEntry
from proxy.config.objects import ConfigObject, Path

_MUTUAL = ("MUTUAL", "ISTIO_MUTUAL")
_WHOLE_MESH = frozenset({"*", "*.local", "*.cluster.local", f"*{SUFFIX}"})
_SOURCE_FIELDS = {
    "principals": "principals",
    "not_principals": "notPrincipals",
    "namespaces": "namespaces",
    "not_namespaces": "notNamespaces",
    "service_accounts": "serviceAccounts",
    "not_service_accounts": "notServiceAccounts",
    "trust_domains": "trustDomains",
    "not_trust_domains": "notTrustDomains",
}
_KEYS = ("source.principal", "source.namespace", "connection.sni")
_MODE: Path = ("spec", "trafficPolicy", "tls", "mode")

Rules = tuple[ConfigObject[DestinationRule], ...]


def identities(context: Context) -> Iterator[Message]:
    """KIA0105: policies that compare identities of callers that show none."""
    for o in context.objects.all(AuthorizationPolicy):
        fields = list(identity_fields(o.spec))
        if not fields:
            continue
        labels = o.spec.selector.match_labels if o.spec.selector else {}
        found = context.selected(labels, o.namespace) if labels else []
        known = [(f"{w.namespace}/{w.name}", w.labels) for w in found] or [(o.namespace, labels)]
        for name, own in known:
            if not _is_mutual(context, o.namespace, own):
                where = "authorizationpolicy.mtls.needstobeenabled"
                yield from (finding(where, o, path, name) for path in fields)
                break


def identity_fields(spec: AuthorizationPolicy) -> Iterator[Path]:
    """The fields of a policy that need mutual TLS."""
    for i, rule in enumerate(spec.rules):
        at: Path = ("spec", "rules", i)
        for j, part in enumerate(rule.from_):
            given = part.source.model_dump(include=set(_SOURCE_FIELDS)) if part.source else {}
            yield from (
                (*at, "from", j, "source", _SOURCE_FIELDS[f]) for f, values in given.items() if values
            )
        for j, condition in enumerate(rule.when):
            if condition.key in _KEYS:
                yield (*at, "when", j)


def disabled_rules(context: Context) -> Iterator[Message]:
    """KIA0207 and KIA0208: callers without mutual TLS where servers insist on it."""
    root = context.mesh.root_namespace
    for o in context.objects.all(DestinationRule):
        if _client_mode([o]) != "DISABLE":
            continue
        namespace = next((n for n in context.namespaces if o.spec.host == _of_namespace(n)), None)
        if namespace is None and o.spec.host not in _WHOLE_MESH:
            continue
        peer = _default(context, namespace) if namespace else None
        name = "destinationrules.mtls.policymtlsenabled"
        if peer is None or peer.namespace == root:
            peer, name = _default(context, root), "destinationrules.mtls.meshpolicymtlsenabled"
        if peer and _server_mode(peer) == "STRICT":
            yield finding(name, o, _MODE, names([peer]))


def disabled_peers(context: Context) -> Iterator[Message]:
    """KIA0505 and KIA0506: callers with mutual TLS where servers have turned it off."""
    root = context.mesh.root_namespace
    mesh = _rules(context, _WHOLE_MESH)
    for o in context.objects.all(PeerAuthentication):
        if _server_mode(o) != "DISABLE" or _wanted(o):
            continue
        own = () if o.namespace == root else _rules(context, (_of_namespace(o.namespace),))
        callers = own or mesh
        if _client_mode(callers) not in _MUTUAL:
            continue
        mesh_wide, path = o.namespace == root, ("spec", "mtls")
        name = "peerauthentications.mtls.disabledestinationrulemissing"
        if mesh_wide:
            name = "peerauthentications.mtls.disablemeshdestinationrulemissing"
        host = "*.local" if mesh_wide else _of_namespace(o.namespace)
        yield finding(name, o, path, names(callers), host)


def _is_mutual(context: Context, namespace: str, labels: Mapping[str, str]) -> bool:
    """Whether calls to a workload with these labels show who calls."""
    server, client = _asked(context, namespace, labels), _used(context, namespace, labels)
    if server == "DISABLE" or (client and client not in _MUTUAL):
        return False
    return context.mesh.enable_auto_mtls or bool(server and client)


def _asked(context: Context, namespace: str, labels: Mapping[str, str]) -> str:
    """Mode of the nearest PeerAuthentication: the workload's, its namespace's, the mesh's; empty: none."""
    own = [
        mode
        for o in context.objects.all(PeerAuthentication)
        if o.namespace == namespace
        and (wanted := _wanted(o))
        and selects(wanted, labels)
        and (mode := _server_mode(o))
    ]
    if own:
        return own[0]
    peers = (_default(context, n) for n in (namespace, context.mesh.root_namespace))
    return next((_server_mode(peer) for peer in peers if peer), "")


def _used(context: Context, namespace: str, labels: Mapping[str, str]) -> str:
    """TLS of callers by the nearest DestinationRules: its services', namespace's, the mesh's; empty: none."""
    levels = (_hosts(context, namespace, labels), (_of_namespace(namespace),), _WHOLE_MESH)
    return next((mode for hosts in levels if (mode := _client_mode(_rules(context, hosts)))), "")


def _hosts(context: Context, namespace: str, labels: Mapping[str, str]) -> frozenset[str]:
    """Full names of the services of a workload."""
    services = {
        f"{o.name}.{namespace}{SUFFIX}"
        for o in context.objects.all(Service)
        if o.namespace == namespace and o.spec.selector and selects(o.spec.selector, labels)
    }
    entries = {
        service_host(context, host, namespace)
        for o in context.objects.all(ServiceEntry)
        if o.namespace == namespace
        and o.spec.workload_selector
        and selects(o.spec.workload_selector.labels, labels)
        for host in o.spec.hosts
    }
    return frozenset(services | entries)


def _default(context: Context, namespace: str) -> ConfigObject[PeerAuthentication] | None:
    """The PeerAuthentication of a whole namespace that says a mode; of the root namespace: the mesh's."""
    return next(
        (
            o
            for o in context.objects.all(PeerAuthentication)
            if o.namespace == namespace and not _wanted(o) and _server_mode(o)
        ),
        None,
    )


def _rules(context: Context, hosts: Iterable[str]) -> Rules:
    """DestinationRules with TLS settings whose host is one of these."""
    wanted = frozenset(hosts)
    return tuple(
        o
        for o in context.objects.all(DestinationRule)
        if _client_mode([o]) and service_host(context, o.spec.host, o.namespace) in wanted
    )


def _client_mode(rules: Iterable[ConfigObject[DestinationRule]]) -> str:
    """TLS mode of rules for the same hosts, one without mutual TLS first; empty: none says."""
    modes = [
        o.spec.traffic_policy.tls.mode for o in rules if o.spec.traffic_policy and o.spec.traffic_policy.tls
    ]
    return next((mode for mode in modes if mode not in _MUTUAL), modes[0] if modes else "")


def _wanted(o: ConfigObject[PeerAuthentication]) -> Mapping[str, str]:
    """Labels of its workloads; empty: it is for all of its namespace."""
    return o.spec.selector.match_labels if o.spec.selector else {}


def _server_mode(o: ConfigObject[PeerAuthentication]) -> str:
    """Its mode; empty: it says none."""
    return o.spec.mtls.mode.removeprefix("UNSET") if o.spec.mtls else ""


def _of_namespace(namespace: str) -> str:
    return f"*.{namespace}{SUFFIX}"
