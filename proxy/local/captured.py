"""One workload whose connections the kernel redirects to its Envoy (interception mode REDIRECT)."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from proxy.agent.agent import Agent
from proxy.agent.settings import Address, AgentSettings, Ports, XdsTls
from proxy.local.running import READY_S, stop_asked
from proxy.local.workloads import AppPort
from proxy.translate.world import Interception, ProxyType
from vigla.errors import SettingsError

EVERYWHERE = "0.0.0.0"  # noqa: S104  readiness and metrics are for whoever watches over the workload


@dataclass(frozen=True, slots=True)
class CapturedWorkload:
    """A workload that runs already, and does not know its proxy.

    Attributes:
        instance: unique in its namespace.
        name: of its Deployment or WorkloadGroup.
        address: where the mesh reaches it.
        ports: that it declares by name; services may name these instead of numbers.
        user: from ``envoy_user``.
    """

    instance: str
    namespace: str
    name: str
    address: str
    user: tuple[int, int] | None
    labels: Mapping[str, str] = field(default_factory=dict)
    service_account: str = "default"
    ports: tuple[AppPort, ...] = ()


def captured_settings(  # noqa: PLR0913, PLR0917  one for each part of the surroundings
    workload: CapturedWorkload,
    pilot: Address,
    collector: Address,
    domain: str,
    folder: Path,
    identity: XdsTls | None = None,
) -> AgentSettings:
    """What its agent is told.

    Args:
        workload: whose Envoy it is.
        pilot: the control plane (xDS).
        collector: of spans and access logs (OTLP and ALS over gRPC).
        domain: suffix of service names.
        folder: gets the bootstrap and the log.
        identity: for mutual TLS with the control plane; None: plain text, which it takes on its own machine.
    """
    name = f"{workload.instance}.{workload.namespace}"
    suffix = f"{workload.namespace}.svc.{domain}"
    return AgentSettings(
        node_id=f"{ProxyType.SIDECAR}~{workload.address}~{name}~{suffix}",
        cluster=f"{workload.labels.get('app', workload.name)}.{workload.namespace}",
        folder=folder,
        xds=pilot,
        xds_tls=identity,
        metadata={
            "NAME": workload.instance,
            "NAMESPACE": workload.namespace,
            "WORKLOAD_NAME": workload.name,
            "SERVICE_ACCOUNT": workload.service_account,
            "LABELS": dict(workload.labels),
            "INTERCEPTION_MODE": str(Interception.REDIRECT),
            "STATUS": f"{workload.address}:{Ports().status}",
            "POD_PORTS": [{"name": port.name, "containerPort": port.port} for port in workload.ports],
        },
        collectors={"vigla-als": collector, "vigla-otlp": collector},
        bind=EVERYWHERE,
        user=workload.user,
    )


async def run_agent(settings: AgentSettings, told: Callable[[str], None]) -> None:
    """Run one Envoy until SIGTERM or SIGINT.

    Raises:
        SettingsError: its status port is taken.
        EnvoyNotReady: it did not come up.
    """
    stopping = stop_asked()
    agent = Agent(settings)
    try:
        await agent.start()
        ready = asyncio.create_task(agent.ready(READY_S))
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait((ready, stopped), return_when=asyncio.FIRST_COMPLETED)
        if stopping.is_set():
            ready.cancel()
        else:
            await ready
            told(f"Envoy of {settings.instance} has its configuration")
        await stopped
    finally:
        await agent.stop()


def envoy_user(uid: int, gid: int) -> tuple[int, int] | None:
    """The user that Envoy has to become, so that its connections are not captured; None: this process is it.

    Raises:
        SettingsError: this process may not become it.
    """
    own = os.geteuid()
    if own == uid:
        return None
    if own != 0:
        raise SettingsError(
            f"Envoy has to run as user {uid}, whose connections capture leaves alone; this is user {own}: "
            f"run as root or as {uid}, or give --proxy-uid here and to vigla mesh init"
        )
    return uid, gid


def own_address(pilot: Address) -> str:
    """This machine's address on the way to the control plane.

    Raises:
        SettingsError: there is no way to it.
    """
    try:
        (family, kind, protocol, _, target), *_ = socket.getaddrinfo(
            pilot.host, pilot.port, type=socket.SOCK_DGRAM
        )
        with socket.socket(family, kind, protocol) as way:
            way.connect(target)  # of a datagram socket: finds the route, sends nothing
            address: str = way.getsockname()[0]
    except OSError as error:
        raise SettingsError(
            f"no way to the control plane {pilot.host} ({error}): give --address, and look at --pilot"
        ) from None
    return address


def app_ports(texts: Iterable[str]) -> tuple[AppPort, ...]:
    """Ports of a workload from ``name:number``.

    Raises:
        SettingsError: one has another form.
    """
    return tuple(_app_port(text) for text in texts)


def _app_port(text: str) -> AppPort:
    name, separator, number = text.rpartition(":")
    if not (separator and name and number.isascii() and number.isdigit()):
        raise SettingsError(f"--port {text!r}: write name:number, like http:8080")
    return AppPort(name, int(number))


def label_map(texts: Iterable[str]) -> dict[str, str]:
    """Labels from ``name=value``.

    Raises:
        SettingsError: one has another form.
    """
    made = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not (separator and name):
            raise SettingsError(f"--label {text!r}: write name=value, like app=reviews")
        made[name] = value
    return made
