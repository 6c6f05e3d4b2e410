"""What every analyzer looks at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from proxy.analyze.messages import Message
from proxy.api.base import Model
from proxy.api.kubernetes import Deployment, PodSpec, Service
from proxy.api.mesh import MeshConfig
from proxy.api.service_entry import ServiceEntry, WorkloadEntry
from proxy.config.collection import Collection
from proxy.config.objects import ConfigObject
from proxy.config.parse import Problem

SUFFIX = ".svc.cluster.local"


Validate = Callable[[ConfigObject[Model]], Sequence[Problem]]


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that selectors find: a pod, a WorkloadEntry, or the pods of a Deployment."""

    namespace: str
    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Host:
    """A service that destinations may name.

    Attributes:
        name: full host, perhaps with a wildcard.
        ports: numbers.
        export_to: namespaces, ``.`` and ``*``; empty: all.
    """

    name: str
    namespace: str
    ports: tuple[int, ...]
    export_to: tuple[str, ...]

    def visible(self, namespace: str) -> bool:
        """Whether this namespace sees it."""
        return visible(self.export_to, self.namespace, namespace)


@dataclass(frozen=True)
class Context:
    """The objects, the mesh's settings, and the judge of single objects."""

    objects: Collection
    mesh: MeshConfig
    validate: Validate

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """What selectors find; a Deployment counts where its pods are not known."""
        pods = [Workload(o.namespace, o.name, o.labels) for o in self.objects.all(PodSpec)]
        pods += [
            Workload(o.namespace, o.name, {**o.labels, **o.spec.labels})
            for o in self.objects.all(WorkloadEntry)
        ]
        unknown = []
        for deployment in self.objects.all(Deployment):
            own, labels = deployment.spec.selector.match_labels, deployment.spec.template.metadata.labels
            known = any(p.namespace == deployment.namespace and selects(own, p.labels) for p in pods)
            if not (own and known):
                unknown.append(Workload(deployment.namespace, deployment.name, labels))
        return (*pods, *unknown)

    def selected(self, selector: Mapping[str, str], namespace: str | None = None) -> list[Workload]:
        """The workloads of a namespace (None: of all) that have these labels."""
        return [
            workload
            for workload in self.workloads
            if namespace in (None, workload.namespace) and selects(selector, workload.labels)
        ]

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """Those that are declared, and those of all other objects."""
        keys = self.objects.by_key
        return frozenset(key.name if key.kind == "Namespace" else key.namespace for key in keys) - {""}

    @cached_property
    def hosts(self) -> Mapping[str, Sequence[Host]]:
        """All hosts of Services and ServiceEntries by their names."""
        found: dict[str, list[Host]] = {}
        for service in self.objects.all(Service):
            exported = service.annotations.get("networking.istio.io/exportTo", "")
            to = tuple(part.strip() for part in exported.split(",") if part.strip())
            ports = tuple(port.port for port in service.spec.ports)
            name = f"{service.name}.{service.namespace}{SUFFIX}"
            found.setdefault(name, []).append(Host(name, service.namespace, ports, to))
        for entry in self.objects.all(ServiceEntry):
            ports = tuple(port.number for port in entry.spec.ports)
            for name in (full_host(host, entry.namespace) for host in entry.spec.hosts):
                found.setdefault(name, []).append(Host(name, entry.namespace, ports, entry.spec.export_to))
        return found

    def find_host(self, name: str, namespace: str) -> Host | None:
        """The host that a destination in this namespace means: an exact one before the longest wildcard."""
        wanted = full_host(name, namespace)
        wider = (host for host in self._wildcards if host_covers(host.name, wanted))
        return next((host for host in (*self.hosts.get(wanted, ()), *wider) if host.visible(namespace)), None)

    @cached_property
    def _wildcards(self) -> list[Host]:
        found = [host for name, hosts in self.hosts.items() if name.startswith("*") for host in hosts]
        return sorted(found, key=lambda host: len(host.name), reverse=True)


def full_host(host: str, namespace: str) -> str:
    """A short name with its namespace and domain; others as they are."""
    return host if "." in host or "*" in host else f"{host}.{namespace}{SUFFIX}"


def host_covers(pattern: str, host: str) -> bool:
    """Whether a host, perhaps with a wildcard, is or contains the other."""
    return pattern in ("*", host) or (pattern.startswith("*") and host.endswith(pattern[1:]))


def visible(export_to: Iterable[str], owner: str, namespace: str) -> bool:
    """Whether an object of ``owner`` exported so is seen in the namespace."""
    to = tuple(export_to)
    return not to or "*" in to or namespace in to or ("." in to and owner == namespace)


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether all labels of the selector are there."""
    return all(labels.get(key) == value for key, value in selector.items())


def shown(selector: Mapping[str, str]) -> str:
    """A selector as text."""
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


Analyzer = Callable[[Context], Iterable[Message]]
