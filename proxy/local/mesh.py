"""A mesh of this machine's processes: applications, and an Envoy before each of them."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from proxy.agent.group import AgentGroup
from proxy.agent.settings import Address, AgentSettings, Ports
from proxy.local.apps import App, Placed, placed
from proxy.local.workloads import READY_PORT, STATUS_PORT, LocalWorkload
from proxy.registry.workloads import locality
from proxy.translate.world import Interception, ProxyType
from vigla.errors import ViglaError

LOG_TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a mesh's proxies and applications send what they have to say.

    Attributes:
        pilot: the control plane (xDS).
        collector: spans and access logs (OTLP and ALS over gRPC).
        domain: suffix of service names.
        environment: of every application.
    """

    pilot: Address
    collector: Address
    domain: str
    environment: Mapping[str, str]


class LocalMesh:
    """Runs workloads until ``stop``. Used from one event loop.

    Args:
        workloads: from ``local_workloads``.
        surroundings: of the mesh.
        folder: gets bootstraps and logs.
    """

    def __init__(self, workloads: Iterable[LocalWorkload], surroundings: Surroundings, folder: Path) -> None:
        self._folder = folder
        places = placed(tuple(workloads))
        self._apps = [
            App(place, folder / f"{place.workload.instance}.app.log", surroundings.environment)
            for place in places
            if place.workload.command
        ]
        self.agents = AgentGroup(
            agent_settings(place, surroundings, folder) for place in places if place.workload.sidecar
        )

    async def start(self) -> None:
        """Start all applications and Envoys; ``ready`` waits for them.

        Raises:
            SettingsError: a port is taken.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        await asyncio.gather(*(app.start() for app in self._apps))
        await self.agents.start()

    async def ready(self, timeout_s: float) -> None:
        """Wait until every Envoy has its configuration.

        Raises:
            EnvoyNotReady: one has not after ``timeout_s``.
        """
        await self.agents.ready(timeout_s)

    def check(self) -> None:
        """Raise ViglaError, with what it wrote last, if an application ended by itself."""
        for app in self._apps:
            if app.ended is not None:
                name = app.place.workload.instance
                lines = (self._folder / f"{name}.app.log").read_text(errors="replace").splitlines()
                raise ViglaError("\n".join([f"{name} ended with {app.ended}:", *lines[-LOG_TAIL_LINES:]]))

    async def stop(self) -> None:
        """Drain and stop the Envoys, then the applications."""
        await self.agents.stop()
        await asyncio.gather(*(app.stop() for app in self._apps))


def agent_settings(place: Placed, surroundings: Surroundings, folder: Path) -> AgentSettings:
    """What the agent of a workload is told."""
    workload = place.workload
    kind = ProxyType.GATEWAY if workload.gateway else ProxyType.SIDECAR
    name = f"{workload.instance}.{workload.namespace}"
    suffix = f"{workload.namespace}.svc.{surroundings.domain}"
    ports = Ports(place.admin, STATUS_PORT, READY_PORT)
    return AgentSettings(
        node_id=f"{kind}~{workload.address}~{name}~{suffix}",
        cluster=f"{workload.labels.get('app', workload.deployment)}.{workload.namespace}",
        folder=folder / name,
        xds=surroundings.pilot,
        locality=locality(workload.labels),
        metadata={
            "NAME": workload.instance,
            "NAMESPACE": workload.namespace,
            "WORKLOAD_NAME": workload.deployment,
            "SERVICE_ACCOUNT": workload.service_account,
            "LABELS": dict(workload.labels),
            "INTERCEPTION_MODE": str(Interception.NONE),
            "HTTP_PROXY_PORT": place.http_proxy,
            "BIND": workload.bind,
            "INBOUND": [
                {"name": port.name, "port": port.port, "app_port": place.ports[port.port]}
                for port in workload.ports
            ],
            "ADMIN": f"127.0.0.1:{place.admin}",
            "STATUS": f"{workload.address}:{STATUS_PORT}",
        },
        collectors={"vigla-als": surroundings.collector, "vigla-otlp": surroundings.collector},
        ports=ports,
        bind=workload.address,
        drain_s=2,
        termination_drain_s=1.0,
    )
