"""Objects exported to namespaces that are not there."""

from collections.abc import Iterator

from proxy.analyze.context import Context
from proxy.analyze.kiali.messages import finding
from proxy.analyze.kiali.scope import Exported, unknown_namespaces
from proxy.analyze.messages import Message
from proxy.api.destination_rule import DestinationRule
from proxy.api.service_entry import ServiceEntry
from proxy.api.virtual_service import VirtualService
from proxy.config.objects import ConfigObject


def namespaces(context: Context) -> Iterator[Message]:
    """KIA0005: of VirtualServices, DestinationRules and ServiceEntries."""
    objects = context.objects
    every: tuple[ConfigObject[Exported], ...] = (
        *objects.all(VirtualService),
        *objects.all(DestinationRule),
        *objects.all(ServiceEntry),
    )
    for o in every:
        for index in unknown_namespaces(context, o.spec.export_to):
            path = ("spec", "exportTo", index)
            yield finding("generic.exportto.namespacenotfound", o, path, o.spec.export_to[index])
