"""Rules of AuthorizationPolicies as policies of Envoy's RBAC.

A rule's parts are joined by AND, the values of a part by OR. What only HTTP knows cannot be matched in TCP:
an ALLOW rule with such a part never holds there, any other rule goes without the part.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from proxy.api.security import Condition, Operation, Rule, Source
from proxy.translate import rbac_matchers as match
from proxy.translate.rbac_matchers import UnusableRule
from proxy.translate.trust_domains import TrustDomains

Json = dict[str, Any]
Action = Literal["ALLOW", "DENY", "LOG"]
NEVER: Json = {"permissions": [{"not_rule": {"any": True}}], "principals": [{"not_id": {"any": True}}]}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule is translated for.

    Attributes:
        action: of RBAC.
        tcp: in a filter of connections, which knows no requests.
        namespace: of the policy.
        trust_domains: that stand for the mesh's own.
    """

    action: Action
    tcp: bool
    namespace: str
    trust_domains: TrustDomains


@dataclass(frozen=True, slots=True)
class _Part:
    """Values and their opposites; ``together`` makes one matcher of all the values."""

    values: tuple[str, ...]
    not_values: tuple[str, ...]
    one: Callable[[str], Json] | None = None
    together: Callable[[tuple[str, ...]], Json] | None = None
    http: bool = False


@dataclass(frozen=True, slots=True)
class _Shape:
    """How RBAC calls things on one of its two sides."""

    either: str
    every: str
    opposite: str
    list: str


_PERMISSION = _Shape("or_rules", "and_rules", "not_rule", "rules")
_PRINCIPAL = _Shape("or_ids", "and_ids", "not_id", "ids")


def policy(rule: Rule, scope: Scope) -> Json | None:
    """The RBAC policy of a rule; None where the rule can hold nothing here.

    An unusable value (a port that is none, a part that TCP cannot know) ends an ALLOW rule; other rules
    go on without it, so that mistakes never allow more.
    """
    try:
        permissions: list[_Part] = []
        principals: list[_Part] = []
        for condition in rule.when:
            side, part = _condition(condition, scope)
            (permissions if side is _PERMISSION else principals).append(part)
        operations = [to.operation for to in rule.to] or [None]
        sources = [from_.source for from_ in rule.from_] or [None]
        return {
            "permissions": [
                _every(_PERMISSION, [*_operation(each), *permissions], scope) for each in operations
            ],
            "principals": [
                _every(_PRINCIPAL, [*_source(each, scope), *principals], scope) for each in sources
            ],
        }
    except UnusableRule:
        return None


def _every(shape: _Shape, parts: Iterable[_Part], scope: Scope) -> Json:
    found = [matcher for part in parts for matcher in _matchers(shape, part, scope)]
    return {shape.every: {shape.list: found or [{"any": True}]}}


def _matchers(shape: _Shape, part: _Part, scope: Scope) -> Iterator[Json]:
    wanted = _either(shape, part, part.values, scope)
    if wanted is not None:
        yield wanted
    unwanted = _either(shape, part, part.not_values, scope)
    if unwanted is not None:
        yield {shape.opposite: unwanted}


def _either(shape: _Shape, part: _Part, values: tuple[str, ...], scope: Scope) -> Json | None:
    if not values:
        return None
    if part.http and scope.tcp:
        if scope.action == "ALLOW":
            raise UnusableRule("a connection has no requests")
        return None
    if part.together is not None:
        return part.together(values)
    found = []
    for value in values:
        try:
            found.append(part.one(value) if part.one else {})
        except UnusableRule:
            if scope.action == "ALLOW":
                raise
    return {shape.either: {shape.list: found}} if found else None


def _operation(operation: Operation | None) -> list[_Part]:
    if operation is None:
        return []
    o = operation
    return [
        _Part(o.hosts, o.not_hosts, lambda v: match.header(":authority", v, ignore_case=True), http=True),
        _Part(o.methods, o.not_methods, lambda v: match.header(":method", v), http=True),
        _Part(o.paths, o.not_paths, match.path, http=True),
        _Part(o.ports, o.not_ports, match.port),
    ]


def _direct(value: str) -> Json:
    return {"direct_remote_ip": match.cidr(value)}


def _remote(value: str) -> Json:
    return {"remote_ip": match.cidr(value)}


def _source(source: Source | None, scope: Scope) -> list[_Part]:
    if source is None:
        return []
    s, domains = source, scope.trust_domains
    return [
        _Part(domains.expand(s.principals), domains.expand(s.not_principals), match.principal),
        _Part(s.request_principals, s.not_request_principals, match.request_principal, http=True),
        _Part(s.trust_domains, s.not_trust_domains, match.trust_domain),
        _Part(
            s.service_accounts,
            s.not_service_accounts,
            lambda v: match.service_account(v, scope.namespace),
        ),
        _Part(s.namespaces, s.not_namespaces, match.namespace),
        _Part(s.remote_ip_blocks, s.not_remote_ip_blocks, _remote),
        _Part(s.ip_blocks, s.not_ip_blocks, _direct),
    ]


def _condition(condition: Condition, scope: Scope) -> tuple[_Shape, _Part]:
    key, values, others = condition.key, condition.values, condition.not_values
    domains = scope.trust_domains
    name = key.partition("[")[0]
    if key == "source.principal":
        values, others = domains.expand(values), domains.expand(others)
    if key == "source.serviceAccount":
        return _PRINCIPAL, _Part(values, others, lambda v: match.service_account(v, scope.namespace))
    if key in _DESTINATION:
        return _PERMISSION, _Part(values, others, _DESTINATION[key])
    if key in _CALLER:
        return _PRINCIPAL, _Part(values, others, _CALLER[key], http=key == "request.auth.principal")
    if key in _CLAIMS or name == "request.auth.claims":
        claims = _CLAIMS.get(key) or _keys(key)
        return _PRINCIPAL, _Part(values, others, together=lambda v: match.claim(claims, v), http=True)
    if name == "request.headers":
        header = _keys(key)[0]
        return _PRINCIPAL, _Part(values, others, lambda v: match.header(header, v), http=True)
    if name.startswith("experimental.envoy.filters."):
        found = key.removeprefix("experimental.")
        return _PERMISSION, _Part(values, others, together=lambda v: match.filter_metadata(found, v))
    raise UnusableRule(f"unknown key {key!r}")


_CALLER: Mapping[str, Callable[[str], Json]] = {
    "source.ip": _direct,
    "remote.ip": _remote,
    "source.namespace": match.namespace,
    "source.principal": match.principal,
    "source.trustDomain": match.trust_domain,
    "request.auth.principal": match.request_principal,
}
_DESTINATION: Mapping[str, Callable[[str], Json]] = {
    "destination.ip": lambda v: {"destination_ip": match.cidr(v)},
    "destination.port": match.port,
    "connection.sni": lambda v: {"requested_server_name": match.text(v)},
}
_CLAIMS = {"request.auth.audiences": ("aud",), "request.auth.presenter": ("azp",)}


def _keys(key: str) -> tuple[str, ...]:
    keys = match.brackets(key)
    if not keys:
        raise UnusableRule(f"{key!r} names nothing; write {key.partition('[')[0]}[name]")
    return keys
