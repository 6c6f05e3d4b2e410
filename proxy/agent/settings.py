"""What an agent is told."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from vigla.errors import SettingsError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class XdsTls:
    """Files (PEM) for the connection to the control plane."""

    root: Path
    certificate: Path
    key: Path

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The files that ``vigla mesh identity`` makes.

        Raises:
            SettingsError: one is missing.
        """
        made = cls(folder / "root-cert.pem", folder / "cert-chain.pem", folder / "key.pem")
        for path in (made.root, made.certificate, made.key):
            if not path.is_file():
                raise SettingsError(f"{path} is missing: make it with `vigla mesh identity`")
        return made

    def copied(self, folder: Path, user: tuple[int, int]) -> Self:
        """The same files where another user may read them, and nobody else."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(folder, *user)
        for path in (self.root, self.certificate, self.key):
            target = folder / path.name
            target.unlink(missing_ok=True)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(path.read_bytes())
            os.chown(target, *user)
        return type(self).of(folder)


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of one agent; 0 picks a free one at each start of Envoy (``status``: at the agent's start).

    Attributes:
        admin: Envoy's admin interface, on loopback only.
        status: of the agent: ``/stats/prometheus`` and its own ``/healthz/ready``.
        ready: of Envoy: ``/healthz/ready``.
    """

    admin: int = 15000
    status: int = 15020
    ready: int = 15021


FREE_PORTS = Ports(0, 0, 0)


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """One Envoy and its agent.

    Attributes:
        node_id: ``<sidecar or router>~<ip>~<instance>.<namespace>~<dns domain>``.
        cluster: ``<service>.<namespace>``.
        folder: for the bootstrap and the log; made if absent.
        xds: the control plane.
        metadata: of the node, JSON values.
        locality: ``region/zone/subzone``.
        collectors: clusters (HTTP/2) of the names that tracers and access loggers use.
        bind: address of the readiness listener and of the agent's server.
        app_metrics: URL of the application's metrics, merged with Envoy's; empty: none.
        stats: prefixes of further Envoy statistics to keep; ``""`` keeps all.
        drain_s: over this time Envoy ends its connections when it drains.
        termination_drain_s: how long a stopping agent lets Envoy drain.
        kill_s: how long Envoy may take to end after that.
        log_bytes: size of the log file before it is rotated; one older file is kept.
        user: user and group id of Envoy, so that transparent capture knows it; None: those of the agent.
    """

    node_id: str
    cluster: str
    folder: Path
    xds: Address
    metadata: Mapping[str, Any] = field(default_factory=dict)
    locality: str = ""
    delta: bool = True
    xds_tls: XdsTls | None = None
    collectors: Mapping[str, Address] = field(default_factory=dict)
    ports: Ports = Ports()
    bind: str = LOOPBACK
    app_metrics: str = ""
    stats: tuple[str, ...] = ()
    concurrency: int = 1
    log_level: str = "warning"
    drain_s: int = 45
    termination_drain_s: float = 5.0
    kill_s: float = 5.0
    backoff_s: float = 0.1
    max_backoff_s: float = 10.0
    log_bytes: int = 10_000_000
    user: tuple[int, int] | None = None

    @property
    def instance(self) -> str:
        """``<instance>.<namespace>``."""
        return self.node_id.split("~")[2]
