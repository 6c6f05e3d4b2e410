"""The mesh's configuration as the graph asks for it: as it was at the time that is shown."""

from datetime import UTC, datetime
from functools import lru_cache

from proxy.api.kubernetes import Deployment, Service
from proxy.api.service_entry import ServiceEntry as EntrySpec
from proxy.config.collection import Collection
from proxy.config.features import Described, Features, describe
from proxy.config.store import ConfigStore
from query.topology.configuration import Badges, NoConfiguration, ServiceEntry
from query.topology.tolerances import ANNOTATION, Object

REVISIONS_KEPT = 16


class MeshConfiguration(NoConfiguration):
    """A ``query.topology.configuration.Configuration`` of the store's revisions. Thread-safe.

    Which workloads ran is kept nowhere, so that none is judged idle or dead.

    Args:
        store: the revisions.
    """

    def __init__(self, store: ConfigStore) -> None:
        self._store = store
        self._read = lru_cache(REVISIONS_KEPT)(self._of_revision)

    def services(self, namespace: str, at: int) -> list[str]:  # type: ignore[override]  # here it is known
        """Kubernetes Services of a namespace."""
        return [each.name for each in self._at(at)[0].all(Service) if each.namespace == namespace]

    def service_entries(self, at: int) -> tuple[ServiceEntry, ...]:
        """Service entries of the mesh."""
        entries = self._at(at)[0].all(EntrySpec)
        return tuple(ServiceEntry(e.name, e.namespace, e.spec.hosts, e.spec.location) for e in entries)

    def badges(self, at: int) -> Badges:
        """Badges of services by their names in Kiali's JSON."""
        described = self._at(at)[1]
        return lambda namespace, service: _badges(described.of((namespace, service)))

    def health_annotations(self, at: int) -> dict[Object, str]:
        """Texts of the annotation of tolerances, at Services and Deployments."""
        found = self._at(at)[0]
        objects = [("service", each) for each in found.all(Service)]
        workloads = [("workload", each) for each in found.all(Deployment)]
        return {
            (each.namespace, kind, each.name): each.annotations[ANNOTATION]
            for kind, each in (*objects, *workloads)
            if ANNOTATION in each.annotations
        }

    def _at(self, at: int) -> tuple[Collection, Described]:
        return self._read(self._store.number_at(datetime.fromtimestamp(at, UTC)))

    def _of_revision(self, number: int) -> tuple[Collection, Described]:
        collection = self._store.at(number)
        return collection, describe(collection)


def _badges(features: Features) -> dict[str, object]:
    has = {
        "hasCB": features.circuit_breaker,
        "hasFaultInjection": features.fault_injection,
        "hasMirroring": features.mirroring,
        "hasRequestRouting": features.request_routing,
        "hasRequestTimeout": features.request_timeout,
        "hasTCPTrafficShifting": features.tcp_traffic_shifting,
        "hasTrafficShifting": features.traffic_shifting,
    }
    found: dict[str, object] = {name: True for name, given in has.items() if given}
    if features.virtual_services:
        found["hasVS"] = {"hostnames": sorted(features.hosts)}
    if features.mtls:
        found["mtlsMode"] = features.mtls
    return found
