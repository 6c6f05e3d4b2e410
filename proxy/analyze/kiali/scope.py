"""What names in an object mean, and who sees it, as Kiali reads them."""

from collections.abc import Iterable, Sequence

from proxy.analyze.context import SUFFIX, Context, full_host, visible
from proxy.api.base import Model
from proxy.api.destination_rule import DestinationRule
from proxy.api.service_entry import ServiceEntry
from proxy.api.virtual_service import VirtualService
from proxy.config.objects import ConfigObject

Exported = VirtualService | DestinationRule | ServiceEntry
_WORDS = frozenset({".", "*", "~"})


def seen(context: Context, o: ConfigObject[Exported], namespace: str) -> bool:
    """Whether the namespace sees an object.

    One that is exported to an unknown namespace is seen by all: KIA0005 tells of it, and it should not be
    missed elsewhere for the same reason.
    """
    to = o.spec.export_to or _default(context, o.spec)
    return bool(unknown_namespaces(context, to)) or visible(to, o.namespace, namespace)


def unknown_namespaces(context: Context, export_to: Iterable[str]) -> list[int]:
    """Places of the namespaces in an ``exportTo`` that the configuration does not know."""
    return [i for i, name in enumerate(export_to) if name not in _WORDS and name not in context.namespaces]


def service_host(context: Context, host: str, namespace: str) -> str:
    """The full name of a host; ``reviews.shop`` is a service's where ``shop`` is a known namespace.

    A host that a ServiceEntry has as it is written stays so.
    """
    if host in context.hosts:
        return host
    name, _, rest = host.partition(".")
    owner = rest.removesuffix(".svc")
    return f"{name}.{owner}{SUFFIX}" if owner in context.namespaces else full_host(host, namespace)


def is_known(context: Context, host: str, namespace: str) -> bool:
    """Whether a host that an object in this namespace names is a service that it sees."""
    return context.find_host(service_host(context, host, namespace), namespace) is not None


def names(objects: Iterable[ConfigObject[Model]]) -> str:
    """Objects as text: ``namespace/name``, sorted."""
    return ", ".join(sorted({f"{o.namespace}/{o.name}" for o in objects}))


def _default(context: Context, spec: Exported) -> Sequence[str]:
    if isinstance(spec, VirtualService):
        return context.mesh.default_virtual_service_export_to
    if isinstance(spec, DestinationRule):
        return context.mesh.default_destination_rule_export_to
    return context.mesh.default_service_export_to
