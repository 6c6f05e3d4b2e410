"""The pilot as one object: store, folder, workloads, CA and xDS, started and stopped together."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry

from proxy.api.security import RequestAuthentication
from proxy.ca.authority import open_authority
from proxy.ca.identity import Identity
from proxy.ca.secrets import SecretSource
from proxy.ca.transport import server_credentials
from proxy.config.collection import Collection
from proxy.config.mesh_config import ROOT_NAMESPACE
from proxy.config.store import ConfigStore
from proxy.config.watch import FolderSource
from proxy.jwks import JwksCache
from proxy.pilot.registrations import Registrations
from proxy.pilot.snapshots import Snapshots
from proxy.translate.plugins import Plugins
from proxy.translate.telemetry import TelemetrySettings
from proxy.translate.telemetry_plugins import MeshPlugins
from proxy.translate.world import World
from proxy.xds.control import ControlPlane
from proxy.xds.metrics import PilotMetrics
from proxy.xds.node import Node
from proxy.xds.server import XdsServer
from vigla.clock import Clock
from vigla.errors import SettingsError
from vigla.prometheus.config import TargetGroup
from vigla.settings import MeshSettings

SWEEP_S = 1.0
ACCOUNT = "istiod"
"""Service account of the control plane: its certificate names it, as Istio's does."""

CA_FOLDER, STORE_FILE, WORKLOADS_FILE = "ca", "config.db", "workloads.json"

logger = logging.getLogger(__name__)


class Pilot:
    """The control plane of one mesh. Started and stopped from one event loop.

    Args:
        settings: of the mesh.
        folder: where configuration, keys and known workloads are kept.
        clock: source of time.
        registry: where own metrics go.

    Attributes:
        store: the configuration's revisions.
        control: the connected proxies.
        source: the watched folder, if there is one.
        domain: of host names.
        authority: signs identities.
        secrets: the certificates in use.
        port, tls_port: where xDS is served in plain text and with TLS; 0: not.
    """

    def __init__(
        self, settings: MeshSettings, folder: Path, clock: Clock, registry: CollectorRegistry
    ) -> None:
        self._settings = settings
        self.domain = settings.domain
        folder.mkdir(parents=True, exist_ok=True)
        self.store = ConfigStore(settings.store_url or f"sqlite:///{folder / STORE_FILE}", clock)
        self.authority = open_authority(folder / CA_FOLDER)
        self.registrations = Registrations(folder / WORKLOADS_FILE, clock, self._changed)
        self._snapshots = Snapshots(self.store.current, self.registrations, self._plugins, settings.domain)
        self.secrets = SecretSource(
            self.authority,
            settings.domain,
            config=self.store.current,
            lifetime=timedelta(hours=settings.certificate_hours),
        )
        metrics = PilotMetrics(registry)
        metrics.root_expiry.set(self.authority.expires.timestamp())
        self.control = ControlPlane(
            self._snapshots.snapshot,
            metrics=metrics,
            secrets=self.secrets.resources,
            clock=clock,
            joined=self.registrations.joined,
            left=self.registrations.left,
        )
        self._server = XdsServer(self.control)
        self.source = FolderSource(settings.config, self.store) if settings.config else None
        self._jwks: JwksCache | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stack = AsyncExitStack()
        self.port = 0
        self.tls_port = 0

    def scrape_targets(self) -> tuple[TargetGroup, ...]:
        """Where the metrics of connected proxies are."""
        return self.registrations.scrape_targets()

    async def start(self) -> None:
        """Apply the folder, then serve proxies.

        Raises:
            SettingsError: the port is taken, or the folder of configuration does not exist.
        """
        if self._settings.config and not self._settings.config.is_dir():
            raise SettingsError(
                f"mesh.config {self._settings.config} is no directory: create it or change it"
            )
        self._loop = asyncio.get_running_loop()
        client = await self._stack.enter_async_context(httpx.AsyncClient())
        self._jwks = JwksCache(client, self._changed)
        self.store.subscribe(lambda _: self._changed())
        self.port = self._server.listen(self._settings.host, self._settings.xds_port)
        if self._settings.tls_host:
            self.tls_port = self._listen_tls()
        if self.source:
            await self.source.start()
            self._stack.push_async_callback(self.source.stop)
        self._want_keys()
        await self.control.start()
        self._stack.push_async_callback(self.control.stop)
        await self._server.start()
        self._stack.push_async_callback(self._server.stop)
        for work in (self._jwks.run(), self.secrets.run(self.control.secrets_changed), self._sweep()):
            task = asyncio.create_task(work)
            self._stack.push_async_callback(_cancelled, task)

    async def stop(self) -> None:
        """Close the streams and the store; proxies go on with what they have."""
        await self._stack.aclose()
        self.store.close()

    def _listen_tls(self) -> int:
        settings = self._settings
        identity = Identity(settings.domain, ROOT_NAMESPACE, ACCOUNT)
        names = tuple(dict.fromkeys((settings.tls_host, *settings.tls_names)))
        lifetime = timedelta(hours=settings.certificate_hours)
        credentials = server_credentials(self.authority, identity, names, lifetime)
        return self._server.listen(settings.tls_host, settings.tls_port, credentials)

    def world(self) -> World:
        """The mesh now."""
        return self._snapshots.world()

    def collection(self) -> Collection:
        """The configuration with the workloads that run."""
        return self._snapshots.world().config

    def node(self, instance: str) -> Node | None:
        """A connected proxy by its instance (``name.namespace``)."""
        return next((s.node for s in self.control.status() if s.node.instance == instance), None)

    def _plugins(self, world: World) -> Plugins:
        del world
        keys = self._jwks.keys if self._jwks else {}
        return MeshPlugins(TelemetrySettings(sampling=self._settings.trace_sampling), keys)

    def _changed(self) -> None:
        """Called from any thread."""
        self._snapshots.changed()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._push)

    def _push(self) -> None:
        self._want_keys()
        self.control.changed()

    def _want_keys(self) -> None:
        if self._jwks is not None:
            self._jwks.want(set(_jwks_uris(self.store.current())))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.registrations.sweep()


def _jwks_uris(config: Collection) -> Iterator[str]:
    for found in config.all(RequestAuthentication):
        for rule in found.spec.jwt_rules:
            if rule.jwks_uri and not rule.jwks:
                yield rule.jwks_uri


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
