"""Patches of EnvoyFilters whose effect hangs on their order, or that have none."""

from collections.abc import Iterator

from proxy.analyze.context import Context
from proxy.analyze.messages import Message, message
from proxy.api.extension import EnvoyConfigObjectPatch, EnvoyFilter

_ROUTES = ("ROUTE_CONFIGURATION", "HTTP_ROUTE")
_REPLACED = ("HTTP_FILTER", "NETWORK_FILTER", "LISTENER_FILTER", "VIRTUAL_HOST")
_RELATIVE = ("INSERT_BEFORE", "INSERT_AFTER", "REPLACE", "REMOVE")


def patches(context: Context) -> Iterator[Message]:
    """Each kind of finding once an object."""
    for o in context.objects.all(EnvoyFilter):
        said = set()
        for index, patch in enumerate(o.spec.config_patches):
            name = _fault(patch, relative=not o.spec.priority)
            if name and name not in said:
                said.add(name)
                yield message(name, o, ("spec", "configPatches", index), patch.apply_to)


def _fault(patch: EnvoyConfigObjectPatch, *, relative: bool) -> str:
    operation = patch.patch.operation if patch.patch else ""
    if operation == "REPLACE" and patch.apply_to not in _REPLACED:
        return "EnvoyFilterUsesReplaceOperationIncorrectly"
    if operation == "ADD" and patch.apply_to in _ROUTES:
        return "EnvoyFilterUsesAddOperationIncorrectly"
    if operation == "REMOVE" and patch.apply_to in _ROUTES:
        return "EnvoyFilterUsesRemoveOperationIncorrectly"
    if not relative or operation not in _RELATIVE:
        return ""
    if patch.match and patch.match.proxy.get("proxyVersion"):
        return "EnvoyFilterUsesRelativeOperationWithProxyVersion"
    return "EnvoyFilterUsesRelativeOperation"
