"""Workloads: what has an address and labels, whether a pod or a WorkloadEntry."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from proxy.api.kubernetes import Deployment, PodSpec, PodStatus
from proxy.api.service_entry import WorkloadEntry, WorkloadGroup
from proxy.config.collection import Collection
from proxy.config.objects import ConfigObject

Labels = Mapping[str, str]
TLS_MODE_LABEL = "security.istio.io/tlsMode"
_INJECT_LABEL = "sidecar.istio.io/inject"
LOCALITY_LABEL = "istio-locality"
_HASH_LABEL = "pod-template-hash"
_SOCKET = "unix://"


@dataclass(frozen=True, slots=True)
class Workload:
    """One running instance.

    Attributes:
        name: of the Deployment or WorkloadGroup that made it, else its own.
        ports: numbers by name; of a pod, those of its containers.
        mesh: a proxy of the mesh stands before it.
        entry: it is a WorkloadEntry, not a pod.
    """

    name: str
    namespace: str
    address: str
    labels: Labels = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    service_account: str = ""
    locality: str = ""
    network: str = ""
    weight: int = 0
    mesh: bool = False
    entry: bool = False


def selects(selector: Labels, labels: Labels) -> bool:
    """Whether these labels have all of the selector's."""
    return all(labels.get(key) == value for key, value in selector.items())


def workloads(config: Collection) -> tuple[Workload, ...]:
    """All pods that run and all WorkloadEntries, oldest first."""
    return (*_pods(config), *_entries(config))


def _pods(config: Collection) -> Iterator[Workload]:
    deployments = config.all(Deployment)
    for pod in config.all(PodSpec):
        status = PodStatus.model_validate(pod.document.get("status") or {})
        if status.pod_ip and status.phase not in ("Failed", "Succeeded"):
            yield Workload(
                name=_owner(pod, deployments),
                namespace=pod.namespace,
                address=status.pod_ip,
                labels=pod.labels,
                ports={
                    port.name: port.container_port
                    for container in pod.spec.containers
                    for port in container.ports
                    if port.name
                },
                service_account=pod.spec.service_account_name or "default",
                locality=locality(pod.labels),
                mesh=in_mesh(pod.labels) or _injected(pod),
            )


def locality(labels: Labels) -> str:
    """``region/zone/subzone`` as a pod's label says it; there its parts are parted by dots."""
    return labels.get(LOCALITY_LABEL, "").replace(".", "/")


def _injected(pod: ConfigObject[PodSpec]) -> bool:
    return pod.labels.get(_INJECT_LABEL) == "true" or any(
        container.name == "istio-proxy" for container in (*pod.spec.containers, *pod.spec.init_containers)
    )


def _owner(pod: ConfigObject[PodSpec], deployments: Iterable[ConfigObject[Deployment]]) -> str:
    for deployment in deployments:
        selector = deployment.spec.selector.match_labels
        if deployment.namespace == pod.namespace and selector and selects(selector, pod.labels):
            return deployment.name
    template = pod.labels.get(_HASH_LABEL)
    return pod.name.split(f"-{template}")[0] if template else pod.name


def _entries(config: Collection) -> Iterator[Workload]:
    groups = config.all(WorkloadGroup)
    for entry in config.all(WorkloadEntry):
        labels = {**entry.labels, **entry.spec.labels}
        name = next((g.name for g in groups if _made_by(g, entry, labels)), entry.name)
        yield from_entry(entry.spec, name, entry.namespace, labels)


def _made_by(group: ConfigObject[WorkloadGroup], entry: ConfigObject[WorkloadEntry], labels: Labels) -> bool:
    if group.namespace != entry.namespace:
        return False
    template = group.spec.template.labels if group.spec.template else {}
    wanted = {**template, **(group.spec.metadata.labels if group.spec.metadata else {})}
    return bool(wanted) and selects(wanted, labels)


def from_entry(entry: WorkloadEntry, name: str, namespace: str, labels: Labels) -> Workload:
    """The workload that an entry describes."""
    return Workload(
        name=name,
        namespace=namespace,
        address=entry.address,
        labels=labels,
        ports=entry.ports,
        service_account=entry.service_account,
        locality=entry.locality,
        network=entry.network,
        weight=entry.weight,
        mesh=in_mesh(labels),
        entry=True,
    )


def in_mesh(labels: Labels) -> bool:
    """Whether a workload of these labels says that it takes the mesh's mutual TLS."""
    return labels.get(TLS_MODE_LABEL) == "istio"


def socket_path(address: str) -> str:
    """Path of ``unix:///path``; empty for other addresses."""
    return address.removeprefix(_SOCKET) if address.startswith(_SOCKET) else ""
