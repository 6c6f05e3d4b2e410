"""JWTs: routes by claims that nobody checks, and keys that are fetched from anywhere."""

from collections.abc import Iterator

from proxy.analyze.context import Context, Workload, selects
from proxy.analyze.messages import Message, message
from proxy.api.gateway import Gateway
from proxy.api.kubernetes import Deployment
from proxy.api.security import RequestAuthentication
from proxy.api.virtual_service import VirtualService
from proxy.config.objects import Path

_CLAIMS = "@request.auth.claims"
_BLOCKED = "BLOCKED_CIDRS_IN_JWKS_URIS"


def claim_routes(context: Context) -> Iterator[Message]:
    """Matches by claims behind gateways whose pods check no tokens."""
    for o in context.objects.all(VirtualService):
        claims = {claim: path for path, claim in _claims(o.spec)}
        for written in o.spec.gateways if claims else ():
            namespace, _, name = written.rpartition("/")
            gateway = context.objects.get(Gateway, namespace or o.namespace, name)
            for pod in context.selected(gateway.spec.selector) if gateway else ():
                if _checked(context, pod):
                    continue
                for claim, path in claims.items():
                    args = (claim, written, f"{pod.namespace}/{pod.name}")
                    yield message("JwtClaimBasedRoutingWithoutRequestAuthN", o, path, *args)


def blocked_networks(context: Context) -> Iterator[Message]:
    """A control plane that fetches the keys of JWTs from any network."""
    fetched = [
        str(o.key)
        for o in context.objects.all(RequestAuthentication)
        if any(rule.jwks_uri or not rule.jwks for rule in o.spec.jwt_rules)
    ]
    for o in context.objects.all(Deployment) if fetched else ():
        if o.namespace != context.mesh.root_namespace or o.labels.get("app") != "istiod":
            continue
        containers = o.spec.template.spec.containers
        if not any(v.get("name") == _BLOCKED and v.get("value") for c in containers for v in c.env):
            names = ", ".join(sorted(fetched))
            yield message("JwksUriFetchUnrestricted", o, ("spec", "template"), len(fetched), names)


def _claims(spec: VirtualService) -> Iterator[tuple[Path, str]]:
    for i, route in enumerate(spec.http):
        for j, match in enumerate(route.match):
            at: Path = ("spec", "http", i, "match", j)
            for part, headers in (("headers", match.headers), ("withoutHeaders", match.without_headers)):
                yield from (((*at, part, name), name) for name in headers if name.startswith(_CLAIMS))


def _checked(context: Context, pod: Workload) -> bool:
    return any(
        o.namespace in (pod.namespace, context.mesh.root_namespace)
        and selects(o.spec.selector.match_labels if o.spec.selector else {}, pod.labels)
        for o in context.objects.all(RequestAuthentication)
        if o.spec.jwt_rules
    )
