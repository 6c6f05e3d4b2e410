"""Mutual TLS: who offers it, who asks for it, and the policies that need it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

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

Peer = ConfigObject[PeerAuthentication]
Rule = ConfigObject[DestinationRule]


def identities(context: Context) -> Iterator[Message]:
    """KIA0105: policies that compare identities of callers that show none."""
    sides = _Sides(context)
    for o in context.objects.all(AuthorizationPolicy):
        fields = list(identity_fields(o.spec))
        if not fields:
            continue
        labels = o.spec.selector.match_labels if o.spec.selector else {}
        namespace = None if o.namespace == context.mesh.root_namespace else o.namespace
        called = context.selected(labels, namespace) if labels else []
        plain = [w for w in called if not sides.is_mutual(w.namespace, w.labels)]
        if plain or not (called or sides.is_mutual(o.namespace, labels)):
            name = f"{plain[0].namespace}/{plain[0].name}" if plain else o.namespace
            yield from (
                finding("authorizationpolicy.mtls.needstobeenabled", o, path, name) for path in fields
            )


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
    root, sides = context.mesh.root_namespace, _Sides(context)
    for o in context.objects.all(DestinationRule):
        if _client_mode([o]) != "DISABLE":
            continue
        namespace = next((n for n in context.namespaces if o.spec.host == _of_namespace(n)), None)
        if namespace is None and o.spec.host not in _WHOLE_MESH:
            continue
        peer = sides.default(namespace) if namespace else None
        name = "destinationrules.mtls.policymtlsenabled"
        if peer is None or peer.namespace == root:
            peer, name = sides.default(root), "destinationrules.mtls.meshpolicymtlsenabled"
        if peer and _server_mode(peer) == "STRICT":
            yield finding(name, o, _MODE, names([peer]))


def disabled_peers(context: Context) -> Iterator[Message]:
    """KIA0505 and KIA0506: callers with mutual TLS where servers have turned it off."""
    root, sides = context.mesh.root_namespace, _Sides(context)
    mesh = sides.rules(_WHOLE_MESH)
    for o in context.objects.all(PeerAuthentication):
        if _server_mode(o) != "DISABLE" or _wanted(o):
            continue
        own = [] if o.namespace == root else sides.rules((_of_namespace(o.namespace),))
        callers = own or mesh
        if _client_mode(callers) not in _MUTUAL:
            continue
        mesh_wide, path = o.namespace == root, ("spec", "mtls")
        name = "peerauthentications.mtls.disabledestinationrulemissing"
        if mesh_wide:
            name = "peerauthentications.mtls.disablemeshdestinationrulemissing"
        host = "*.local" if mesh_wide else _of_namespace(o.namespace)
        yield finding(name, o, path, names(callers), host)


@dataclass(frozen=True)
class _Sides:
    """What servers ask for and callers use, by namespaces and hosts."""

    context: Context

    def is_mutual(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether calls to a workload with these labels show who calls."""
        server, client = self._asked(namespace, labels), self._used(namespace, labels)
        if server == "DISABLE" or (client and client not in _MUTUAL):
            return False
        return self.context.mesh.enable_auto_mtls or bool(server and client)

    def default(self, namespace: str) -> Peer | None:
        """The PeerAuthentication of a whole namespace that says a mode; of the root namespace: the mesh's."""
        return next((o for o in self._peers[namespace] if not _wanted(o)), None)

    def rules(self, hosts: Iterable[str]) -> list[Rule]:
        """DestinationRules with TLS settings whose host is one of these."""
        return [o for host in hosts for o in self._rules.get(host, ())]

    def _asked(self, namespace: str, labels: Mapping[str, str]) -> str:
        """Mode of the nearest PeerAuthentication: the workload's, namespace's, mesh's; empty: none."""
        own = (o for o in self._peers[namespace] if (wanted := _wanted(o)) and selects(wanted, labels))
        levels = (next(own, None), self.default(namespace), self.default(self.context.mesh.root_namespace))
        return next((_server_mode(peer) for peer in levels if peer), "")

    def _used(self, namespace: str, labels: Mapping[str, str]) -> str:
        """TLS of callers by the nearest rules: its services', namespace's, the mesh's; empty: none."""
        own = {h for selector, h in self._hosts[namespace] if selector and selects(selector, labels)}
        levels = (own, (_of_namespace(namespace),), _WHOLE_MESH)
        return next((mode for hosts in levels if (mode := _client_mode(self.rules(hosts)))), "")

    @cached_property
    def _peers(self) -> Mapping[str, list[Peer]]:
        """Those that say a mode, by namespaces."""
        found: dict[str, list[Peer]] = defaultdict(list)
        for o in self.context.objects.all(PeerAuthentication):
            if _server_mode(o):
                found[o.namespace].append(o)
        return found

    @cached_property
    def _rules(self) -> Mapping[str, list[Rule]]:
        """Those with TLS settings, by full hosts."""
        found: dict[str, list[Rule]] = defaultdict(list)
        for o in self.context.objects.all(DestinationRule):
            if _client_mode([o]):
                found[service_host(self.context, o.spec.host, o.namespace)].append(o)
        return found

    @cached_property
    def _hosts(self) -> Mapping[str, list[tuple[Mapping[str, str], str]]]:
        """Selectors and full hosts of services, by namespaces."""
        found: dict[str, list[tuple[Mapping[str, str], str]]] = defaultdict(list)
        for o in self.context.objects.all(Service):
            found[o.namespace].append((o.spec.selector, f"{o.name}.{o.namespace}{SUFFIX}"))
        for entry in self.context.objects.all(ServiceEntry):
            labels = entry.spec.workload_selector.labels if entry.spec.workload_selector else {}
            hosts = (service_host(self.context, host, entry.namespace) for host in entry.spec.hosts)
            found[entry.namespace].extend((labels, host) for host in hosts)
        return found


def _client_mode(rules: Iterable[Rule]) -> str:
    """TLS mode of rules for the same hosts, one without mutual TLS first; empty: none says."""
    modes = [
        o.spec.traffic_policy.tls.mode for o in rules if o.spec.traffic_policy and o.spec.traffic_policy.tls
    ]
    return next((mode for mode in modes if mode not in _MUTUAL), modes[0] if modes else "")


def _wanted(o: Peer) -> Mapping[str, str]:
    """Labels of its workloads; empty: it is for all of its namespace."""
    return o.spec.selector.match_labels if o.spec.selector else {}


def _server_mode(o: Peer) -> str:
    """Its mode; empty: it says none."""
    return o.spec.mtls.mode.removeprefix("UNSET") if o.spec.mtls else ""


def _of_namespace(namespace: str) -> str:
    return f"*.{namespace}{SUFFIX}"
