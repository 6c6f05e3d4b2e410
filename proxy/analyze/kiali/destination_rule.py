"""DestinationRules: hosts that are not there, subsets without endpoints, and rules for the same."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from proxy.analyze.context import SUFFIX, Context, selects, shown
from proxy.analyze.destination_rule import known_labels
from proxy.analyze.kiali.messages import LEVELS, finding
from proxy.analyze.kiali.scope import is_known, names, seen, service_host
from proxy.analyze.messages import Message
from proxy.analyze.virtual_service import targets
from proxy.api.destination_rule import DestinationRule
from proxy.api.kubernetes import Service
from proxy.api.service_entry import ServiceEntry
from proxy.api.virtual_service import VirtualService
from proxy.config.objects import ConfigObject, Path

Rule = ConfigObject[DestinationRule]


def hosts(context: Context) -> Iterator[Message]:
    """KIA0202: hosts without wildcard that no service has."""
    for o in context.objects.all(DestinationRule):
        if "*" not in o.spec.host and not is_known(context, o.spec.host, o.namespace):
            path = ("spec", "host")
            yield finding("destinationrules.nodest.matchingregistry", o, path, o.spec.host)


def subsets(context: Context) -> Iterator[Message]:
    """KIA0203 and KIA0209: subsets whose labels no endpoint has, and subsets without labels.

    One that no VirtualService routes to does no harm yet: Kiali's severity is then "unknown".
    """
    routed, endpoints = _routed(context), _Endpoints(context)
    for o in context.objects.all(DestinationRule):
        host = service_host(context, o.spec.host, o.namespace)
        labels = endpoints.labels(host)
        for index, subset in enumerate(o.spec.subsets):
            path: Path = ("spec", "subsets", index)
            if not subset.labels:
                # Subsets of other hosts often differ by their policies only.
                if host in endpoints.services:
                    yield finding("destinationrules.nodest.subsetnolabels", o, path, subset.name)
                continue
            if labels is None or any(selects(known_labels(subset), own) for own in labels):
                continue
            args = (o.spec.host, subset.name, shown(subset.labels))
            found = finding("destinationrules.nodest.subsetlabels", o, path, *args)
            yield found if (host, subset.name) in routed else replace(found, level=LEVELS["unknown"])


def repeated(context: Context) -> Iterator[Message]:
    """KIA0201: rules of one host for the same subsets; one without subsets is for all of them."""
    groups: dict[str, list[Rule]] = defaultdict(list)
    for o in context.objects.all(DestinationRule):
        groups[service_host(context, o.spec.host, o.namespace)].append(o)
    for host, found in groups.items():
        for o in found if len(found) > 1 else ():
            rivals = [x for x in found if x.key != o.key and _overlap(context, o, x)]
            if rivals:
                yield finding("destinationrules.multimatch", o, ("spec", "host"), names([o, *rivals]), host)


def _overlap(context: Context, one: Rule, two: Rule) -> bool:
    a, b = ({subset.name for subset in o.spec.subsets} for o in (one, two))
    same_clients = one.spec.workload_selector == two.spec.workload_selector
    together = any(seen(context, one, n) and seen(context, two, n) for n in context.namespaces)
    return same_clients and together and (not a or not b or bool(a & b))


def _routed(context: Context) -> set[tuple[str, str]]:
    """Full hosts and subsets that routes go to."""
    return {
        (service_host(context, target.host, o.namespace), target.subset)
        for o in context.objects.all(VirtualService)
        for _, target in targets(o.spec)
        if target.subset
    }


@dataclass(frozen=True)
class _Endpoints:
    """What the hosts of the mesh stand for."""

    context: Context

    @cached_property
    def services(self) -> Mapping[str, ConfigObject[Service]]:
        """By their full hosts."""
        return {f"{o.name}.{o.namespace}{SUFFIX}": o for o in self.context.objects.all(Service)}

    @cached_property
    def entries(self) -> Mapping[str, Sequence[ConfigObject[ServiceEntry]]]:
        """By their full hosts."""
        found: dict[str, list[ConfigObject[ServiceEntry]]] = defaultdict(list)
        for o in self.context.objects.all(ServiceEntry):
            for host in o.spec.hosts:
                found[service_host(self.context, host, o.namespace)].append(o)
        return found

    def labels(self, host: str) -> list[Mapping[str, str]] | None:
        """Of a host's endpoints; None: they are not chosen by labels, or the host is not known."""
        chosen: list[list[Mapping[str, str]]] = []
        service = self.services.get(host)
        if service and service.spec.selector:
            chosen.append(self._selected(service.spec.selector, service.namespace))
        for o in self.entries.get(host, ()):
            if o.spec.workload_selector:
                chosen.append(self._selected(o.spec.workload_selector.labels, o.namespace))
            elif o.spec.endpoints:
                chosen.append([endpoint.labels for endpoint in o.spec.endpoints])
        return [labels for one in chosen for labels in one] if chosen else None

    def _selected(self, selector: Mapping[str, str], namespace: str) -> list[Mapping[str, str]]:
        return [workload.labels for workload in self.context.selected(selector, namespace)]
