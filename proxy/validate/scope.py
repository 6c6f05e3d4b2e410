"""Checks of what an object applies to: selectors, target references, visibility."""

import re

from proxy.api.base import Labels, LabelSelector, PolicyTargetReference, WorkloadSelector
from proxy.validate import checks
from proxy.validate.spot import Spot

_TARGETS = frozenset(
    {
        ("", "Service"),
        ("core", "Service"),
        ("networking.istio.io", "ServiceEntry"),
        ("gateway.networking.k8s.io", "Gateway"),
        ("gateway.networking.k8s.io", "GatewayClass"),
    }
)
_MOST_TARGETS = 16
_LONGEST_LABEL = 63
_VISIBLE = re.compile(r"[*.]")


def _selected(at: Spot, labels: Labels) -> None:
    for key, value in labels.items():
        here = at / key
        if not key:
            at.error("a label's name must not be empty")
        if "*" in key or "*" in value:
            here.error("* is not allowed in a selector: write the whole label")
        if len(value) > _LONGEST_LABEL:
            here.error(f"a label's value has at most {_LONGEST_LABEL} characters")


def match_labels(at: Spot, selector: LabelSelector | None) -> None:
    """``selector.matchLabels`` of security, telemetry and extension objects."""
    if selector is not None:
        _selected(at / "matchLabels", selector.match_labels)
        if not selector.match_labels:
            at.warn("a selector without labels selects every workload of the namespace")


def workload_selector(at: Spot, selector: WorkloadSelector | None) -> None:
    """``workloadSelector.labels`` of networking objects."""
    if selector is not None:
        _selected(at / "labels", selector.labels)
        if not selector.labels:
            at.warn("a selector without labels selects every workload of the namespace")


def attachment(
    at: Spot,
    selector: LabelSelector | None,
    target_ref: PolicyTargetReference | None,
    target_refs: tuple[PolicyTargetReference, ...],
) -> None:
    """What a policy is attached to: one of a selector, a reference, references."""
    checks.one_of(
        at, selector=selector is not None, targetRef=target_ref is not None, targetRefs=bool(target_refs)
    )
    match_labels(at / "selector", selector)
    if target_ref is not None:
        _target(at / "targetRef", target_ref)
    targets(at, target_refs)


def targets(at: Spot, target_refs: tuple[PolicyTargetReference, ...]) -> None:
    """``targetRefs`` of an object."""
    for spot, ref in at.each("targetRefs", target_refs):
        _target(spot, ref)
    if len(target_refs) > _MOST_TARGETS:
        (at / "targetRefs").error(f"at most {_MOST_TARGETS} references are allowed")


def _target(at: Spot, ref: PolicyTargetReference) -> None:
    if not ref.name:
        (at / "name").error("required: the name of the object")
    if ref.namespace:
        (at / "namespace").error("must not be set: only objects of the own namespace can be referred to")
    if (ref.group, ref.kind) not in _TARGETS:
        known = ", ".join(sorted(f"{group}/{kind}".removeprefix("/") for group, kind in _TARGETS))
        at.error(f"{f'{ref.group}/{ref.kind}'.removeprefix('/')!r} cannot be a target; allowed: {known}")


def export_to(
    at: Spot, names: tuple[str, ...], *, none_allowed: bool = False, own_only: bool = False
) -> None:
    """Who sees the object: namespaces, ``.`` (the own one), ``*`` (all), for ServiceEntry ``~`` (no one)."""
    at = at / "exportTo"
    own = at.obj.namespace
    found = [own if name == "." else name for name in names]
    checks.unique([(at / i, name) for i, name in enumerate(found)], "namespace")
    for index, name in enumerate(names):
        if name == "~" and none_allowed:
            continue
        if not _VISIBLE.fullmatch(name) and not checks.is_label(name):
            (at / index).error(f"{name!r} is no namespace: write a name, . (this namespace) or * (all)")
    for name in ("*", "~"):
        if name in names and len(names) > 1:
            at.error(f"{name} leaves nothing to the others: write it alone")
    if own_only and names and found != [own]:
        at.error("with a workloadSelector only the own namespace (.) is possible")
