"""Rules of a virtual service, with those of its delegates in their places."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from proxy.api.base import StringMatch
from proxy.api.virtual_service import HTTPMatchRequest, HTTPRoute, VirtualService
from proxy.config.objects import ConfigObject
from proxy.translate.destination_rules import exported
from proxy.translate.world import World

_Value = TypeVar("_Value")
_INHERITED = (
    "rewrite",
    "direct_response",
    "timeout",
    "retries",
    "fault",
    "mirror",
    "mirror_percent",
    "mirror_percentage",
    "cors_policy",
    "headers",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and where it was written.

    Attributes:
        route: the rule; a delegate's rule is merged with the one that points to it.
        source: the object that holds it.
        index: its place in ``http`` of that object.
    """

    route: HTTPRoute
    source: ConfigObject[VirtualService]
    index: int


def rules(world: World, virtual_service: ConfigObject[VirtualService]) -> Iterator[Rule]:
    """The rules in order; a delegate that is absent, not visible, or delegates itself adds none."""
    for index, route in enumerate(virtual_service.spec.http):
        delegate = route.delegate
        if delegate is None:
            yield Rule(route, virtual_service, index)
            continue
        namespace = delegate.namespace or virtual_service.namespace
        found = world.config.get(VirtualService, namespace, delegate.name)
        if found is None or not _visible(world, found, virtual_service.namespace):
            continue
        for place, inner in enumerate(found.spec.http):
            merged = None if inner.delegate else merge(route, inner)
            if merged is not None:
                yield Rule(merged, found, place)


def merge(root: HTTPRoute, inner: HTTPRoute) -> HTTPRoute | None:
    """A delegate's rule under its root's conditions; None where both can never hold.

    What the delegate does not say is taken from the root.
    """
    conditions = _matches(root.match, inner.match)
    if conditions is None:
        return None
    changes: dict[str, object] = {"match": conditions, "name": _joined(root.name, inner.name)}
    for field in _INHERITED:
        if field not in inner.model_fields_set and field in root.model_fields_set:
            changes[field] = dict(root)[field]
    if not inner.mirrors:
        changes["mirrors"] = root.mirrors
    return inner.model_copy(update=changes)


def _visible(world: World, found: ConfigObject[VirtualService], namespace: str) -> bool:
    scopes = found.spec.export_to or world.mesh.default_virtual_service_export_to or ("*",)
    return exported(scopes, found.namespace, namespace)


def _joined(root: str, inner: str) -> str:
    return "-".join(part for part in (root, inner) if part)


def _matches(
    root: tuple[HTTPMatchRequest, ...], inner: tuple[HTTPMatchRequest, ...]
) -> tuple[HTTPMatchRequest, ...] | None:
    if not (root and inner):
        return root or inner
    both = tuple(_merged(r, i) for r in root for i in inner if not _conflict(r, i))
    return both or None


def _merged(root: HTTPMatchRequest, inner: HTTPMatchRequest) -> HTTPMatchRequest:
    return inner.model_copy(
        update={
            "name": _joined(root.name, inner.name),
            "uri": inner.uri or root.uri,
            "scheme": inner.scheme or root.scheme,
            "method": inner.method or root.method,
            "authority": inner.authority or root.authority,
            "headers": {**root.headers, **inner.headers},
            "without_headers": {**root.without_headers, **inner.without_headers},
            "query_params": {**root.query_params, **inner.query_params},
            "port": inner.port or root.port,
            "source_labels": {**root.source_labels, **inner.source_labels},
            "source_namespace": inner.source_namespace or root.source_namespace,
            "gateways": inner.gateways or root.gateways,
            "ignore_uri_case": inner.ignore_uri_case or root.ignore_uri_case,
            "stat_prefix": inner.stat_prefix or root.stat_prefix,
        }
    )


def _conflict(root: HTTPMatchRequest, inner: HTTPMatchRequest) -> bool:
    texts = (
        (root.uri, inner.uri),
        (root.scheme, inner.scheme),
        (root.method, inner.method),
        (root.authority, inner.authority),
        *_shared(root.headers, inner.headers),
        *_shared(root.without_headers, inner.without_headers),
        *_shared(root.query_params, inner.query_params),
    )
    values = (
        (root.port, inner.port),
        (root.source_namespace, inner.source_namespace),
        (root.stat_prefix, inner.stat_prefix),
        *_shared(root.source_labels, inner.source_labels),
    )
    uncovered = root.gateways and inner.gateways and not set(inner.gateways) <= set(root.gateways)
    case = root.uri and inner.uri and root.ignore_uri_case != inner.ignore_uri_case
    return bool(
        uncovered
        or case
        or any(not _narrower(r, i) for r, i in texts if r is not None and i is not None)
        or any(r and i and r != i for r, i in values)
    )


def _shared(root: dict[str, _Value], inner: dict[str, _Value]) -> list[tuple[_Value, _Value]]:
    return [(root[key], inner[key]) for key in root.keys() & inner.keys()]


def _narrower(root: StringMatch, inner: StringMatch) -> bool:
    """Whether all that the inner condition takes, the root's takes too; expressions are not compared."""
    if root.exact is not None:
        return inner.exact == root.exact
    if root.prefix is not None:
        text = inner.exact if inner.exact is not None else inner.prefix
        return text is not None and text.startswith(root.prefix)
    return root.regex is None and inner.regex is None
