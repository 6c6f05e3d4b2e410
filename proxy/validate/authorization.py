"""AuthorizationPolicy."""

import re
from collections.abc import Mapping

from proxy.api.security import AuthorizationPolicy, Condition, From, Operation, Rule, Source, To
from proxy.validate import checks, scope
from proxy.validate.addresses import is_subnet, subnet
from proxy.validate.spot import Spot

DRY_RUN = "istio.io/dry-run"
_BOOLEANS = frozenset("1 t T true TRUE True 0 f F false FALSE False".split())  # noqa: SIM905
_CLAIM = re.compile(r"request\.auth\.claims(\[[^\[\]]+\])+")
_HEADER_KEY = re.compile(r"request\.headers\[([^\[\]]+)\]")
_ACCOUNT = re.compile(r"[^/]+(/[^/]+)?")
_PLAIN_KEYS = frozenset(
    "source.namespace source.principal source.serviceAccount source.trustDomain request.auth.principal "  # noqa: SIM905
    "request.auth.audiences request.auth.presenter connection.sni".split()
)
_ADDRESS_KEYS = frozenset({"source.ip", "remote.ip", "destination.ip"})
_NOT_CUSTOM = frozenset({"source.namespace", "source.principal", "source.serviceAccount"})
_IDENTITIES = (
    "namespaces",
    "principals",
    "request_principals",
    "service_accounts",
    "trust_domains",
)
_TEMPLATE = re.compile(r"\{\*\*?\}")


def authorization_policy(at: Spot, spec: AuthorizationPolicy) -> None:
    """All rules of the kind."""
    scope.attachment(at, spec.selector, spec.target_ref, spec.target_refs)
    _action(at, spec)
    for spot, rule in at.each("rules", spec.rules):
        _rule(spot, rule)
        if spec.action == "CUSTOM":
            _custom(spot, rule)
        if spec.action == "DENY" and _denies_tcp(rule):
            spot.warn("has only fields of HTTP: on TCP ports it denies everything; name the ports")


def dry_run(at: Spot, annotations: Mapping[str, str], spec: object) -> None:
    """The annotation that lets a policy only report; only ALLOW and DENY can."""
    if DRY_RUN not in annotations:
        return
    spot = at / "metadata" / "annotations" / DRY_RUN
    if not isinstance(spec, AuthorizationPolicy):
        spot.error("works only on an AuthorizationPolicy: remove it")
    elif spec.action not in {"ALLOW", "DENY"}:
        spot.error(f"works only with action ALLOW or DENY, not {spec.action}")
    elif annotations[DRY_RUN] not in _BOOLEANS:
        spot.error(f'{annotations[DRY_RUN]!r} is not allowed: write "true" or "false"')


def _action(at: Spot, spec: AuthorizationPolicy) -> None:
    if spec.action in {"DENY", "CUSTOM"} and not spec.rules:
        (at / "rules").error(
            f"{spec.action} without rules never happens; rules: [{{}}] matches every request"
        )
    if spec.action == "CUSTOM":
        if spec.provider is None or not spec.provider.name:
            (at / "provider" / "name").error("required with action CUSTOM: an extension provider of the mesh")
    elif spec.provider is not None:
        (at / "provider").error(f"needs action CUSTOM, not {spec.action}")


def _rule(at: Spot, rule: Rule) -> None:
    for name, field, values in (("from", "from_", rule.from_), ("to", "to", rule.to)):
        if field in rule.model_fields_set and not values:
            (at / name).error("must not be empty: remove it to match everything")
    for spot, origin in at.each("from", rule.from_):
        _from(spot, origin)
    for spot, target in at.each("to", rule.to):
        _to(spot, target)
    for spot, condition in at.each("when", rule.when):
        _condition(spot, condition)


def _from(at: Spot, origin: From) -> None:
    source = origin.source
    at = at / "source"
    if source is None or not any(value for _, value in source):
        at.error("must not be empty: name who is meant")
        return
    _no_empty(at, source)
    accounts = source.service_accounts or source.not_service_accounts
    others = source.namespaces or source.not_namespaces or source.principals or source.not_principals
    if accounts and others:
        at.error("serviceAccounts cannot be used with namespaces or principals: write two sources")
    for name, blocks in (
        ("ipBlocks", source.ip_blocks),
        ("notIpBlocks", source.not_ip_blocks),
        ("remoteIpBlocks", source.remote_ip_blocks),
        ("notRemoteIpBlocks", source.not_remote_ip_blocks),
    ):
        for spot, block in at.each(name, blocks):
            subnet(spot, block)
    for name, values in (
        ("serviceAccounts", source.service_accounts),
        ("notServiceAccounts", source.not_service_accounts),
    ):
        for spot, account in at.each(name, values):
            _account(spot, account)


def _account(at: Spot, account: str) -> None:
    if not _ACCOUNT.fullmatch(account) or "*" in account:
        at.error(f"{account!r} is no service account: write NAME or NAMESPACE/NAME, without *")


def _to(at: Spot, target: To) -> None:
    operation = target.operation
    at = at / "operation"
    if operation is None or not any(value for _, value in operation):
        at.error("must not be empty: name what is meant")
        return
    _no_empty(at, operation)
    for name, ports in (("ports", operation.ports), ("notPorts", operation.not_ports)):
        for spot, port in at.each(name, ports):
            _port(spot, port)
    for name, paths in (("paths", operation.paths), ("notPaths", operation.not_paths)):
        for spot, path in at.each(name, paths):
            _template(spot, path)


def _no_empty(at: Spot, fields: Source | Operation) -> None:
    for name, values in fields.model_dump(by_alias=True).items():
        for index, value in enumerate(values):
            if not value:
                (at / name / index).error("must not be empty; * matches any value")


def _port(at: Spot, text: str) -> None:
    if text.isdecimal():
        checks.port(at, int(text))
    elif text:
        at.error(f"{text!r} is no port number")


def _template(at: Spot, path: str) -> None:
    if not _TEMPLATE.search(path):
        return
    parts = path.removeprefix("/").split("/")
    mixed = any("*" in part and not _TEMPLATE.fullmatch(part) for part in parts)
    if mixed:
        at.error(
            f"{path!r}: {{*}} and {{**}} stand for whole parts of a path, and * cannot be used beside them"
        )
    if "{**}" in parts[: len(parts)] and any("{" in part for part in parts[parts.index("{**}") + 1 :]):
        at.error(f"{path!r}: {{**}} must be the last of the operators")


def _condition(at: Spot, condition: Condition) -> None:
    key = condition.key
    if not key:
        (at / "key").error("required: the attribute that is compared")
        return
    if not condition.values and not condition.not_values:
        at.error("values or notValues is required")
    known = (
        key in _PLAIN_KEYS
        or key in _ADDRESS_KEYS
        or key == "destination.port"
        or _CLAIM.fullmatch(key)
        or _HEADER_KEY.fullmatch(key)
        or key.startswith("experimental.envoy.filters.")
    )
    if not known:
        (at / "key").error(f"unknown attribute {key!r}; known: {_known()}")
    for name, values in (("values", condition.values), ("notValues", condition.not_values)):
        for spot, value in at.each(name, values):
            _value(spot, key, value)


def _known() -> str:
    others = {"destination.port", "request.headers[NAME]", "request.auth.claims[NAME]"}
    return ", ".join(sorted(_PLAIN_KEYS | _ADDRESS_KEYS | others))


def _value(at: Spot, key: str, value: str) -> None:
    if not value:
        at.error("must not be empty; * matches any value")
    elif key in _ADDRESS_KEYS and not is_subnet(value):
        at.error(f"{value!r} is no IP address or CIDR block")
    elif key == "destination.port":
        _port(at, value)
    elif key == "source.serviceAccount":
        _account(at, value)


def _custom(at: Spot, rule: Rule) -> None:
    """The external authorizer is asked before identities are known."""
    for spot, origin in at.each("from", rule.from_):
        given = origin.source.model_dump() if origin.source is not None else {}
        for name in _IDENTITIES:
            if given.get(name) or given.get(f"not_{name}"):
                (spot / "source").error(f"{name} cannot be used with action CUSTOM")
    for spot, condition in at.each("when", rule.when):
        if condition.key in _NOT_CUSTOM or condition.key.startswith("request.auth."):
            (spot / "key").error(f"{condition.key} cannot be used with action CUSTOM")


def _denies_tcp(rule: Rule) -> bool:
    sources = [origin.source for origin in rule.from_ if origin.source is not None]
    operations = [target.operation for target in rule.to if target.operation is not None]
    http_only = {"request_principals", "not_request_principals"}
    tcp_source = any(source.model_fields_set - http_only for source in sources)
    tcp_operation = any(operation.ports or operation.not_ports for operation in operations)
    return (bool(sources) and not operations and not tcp_source) or (bool(operations) and not tcp_operation)
