"""The roles of ``vigla serve`` wired together by hand, in the order of the data's way."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from fastapi import FastAPI
from starlette.routing import Route

from collector.scrape.described import DescribedTargets
from collector.scrape.manager import Scraper
from collector.server import Collector
from ingester.decode import DeadLetters as DeadLetterSink
from ingester.promote import promoted_from
from ingester.server import Ingester
from proxy.pilot.api import router as mesh_router
from proxy.pilot.server import Pilot
from query.promql.lake import LakeSeries
from query.rules.manager import Rules
from query.server import Parts, QueryServer, create_app
from query.topology.configuration import Configuration, NoConfiguration
from query.topology.health_recorder import HealthRecorder
from ui.server import router as ui_router
from vigla import heap
from vigla.bus.api import TOPICS, Bus
from vigla.bus.dead_letter import DeadLetters
from vigla.bus.kafka.bus import KafkaBus
from vigla.bus.local import LocalBus
from vigla.cli.endpoints import Endpoints
from vigla.cli.mesh_configuration import MeshConfiguration
from vigla.cli.stopping import stop_on_signals
from vigla.clock import SystemClock
from vigla.errors import SettingsError
from vigla.listen import HttpServer, bind
from vigla.model.partitions import Partition
from vigla.settings import MIB, Settings
from vigla.storage.administration import Administration
from vigla.storage.lake import Lake
from vigla.storage.maintenance import Maintenance
from vigla.telemetry import health
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

DEAD_LETTER_BYTES = 64 * MIB  # undecodable payloads kept for a look; the oldest go first


async def run(settings: Settings, announce: Callable[[Settings, Endpoints], None]) -> None:
    """Start every role, serve until SIGTERM or SIGINT, then stop in the reverse order.

    Stopping refuses new data first, then flushes what was accepted, then releases the files. What does not
    end before the deadline is cut off: accepted payloads are on the bus and are read again at the next start.

    Raises:
        SettingsError: a directory or a port cannot be used.
        StorageUnavailable: the data is held by another process or cannot be read.
    """
    stopping = stop_on_signals()
    metrics, clock = Metrics(), SystemClock()
    checks: dict[str, health.Check] = {"start": lambda: "starting"}
    async with AsyncExitStack() as stack:
        health_server = _health_server(settings, metrics, checks)
        await health_server.start()
        stack.push_async_callback(health_server.stop)

        store = Lake(settings.storage, promoted_from(settings.ingester), metrics, clock)
        stack.callback(store.close)
        bus, dead_letters = _bus(settings, store, metrics)
        stack.push_async_callback(asyncio.to_thread, bus.close)
        ingester = Ingester(bus, store, settings.ingester, store.promoted, metrics, clock, dead_letters)
        checks["ingester"] = ingester.problem
        ingester.start()
        stack.push_async_callback(asyncio.to_thread, ingester.stop)
        maintenance = Maintenance(store, settings.storage, clock, metrics)
        maintenance.start()
        stack.push_async_callback(asyncio.to_thread, maintenance.stop)

        collector = Collector(settings.collector, bus, metrics)
        checks["collector"] = lambda: (
            bus.problem("traces") or bus.problem("access_logs") or bus.problem("remote_write")
        )
        pilot = await _pilot(settings, clock, metrics, stack)
        routers = [] if pilot is None else [mesh_router(pilot)]
        routers.append(ui_router(settings.query, mesh=pilot is not None))
        series = LakeSeries(store)
        scraper = _scraper(settings, collector, pilot, health_server.port, clock)
        rules = Rules(settings.rules, series, collector.write_samples, clock, metrics)
        targets, admin = DescribedTargets(scraper), Administration(store, settings.storage.path)
        parts = Parts(routers, rules, targets, series, admin, _defined(pilot), settings.health)
        app = create_app(store, store.promoted, settings.query, metrics, clock, parts)
        _mount(app, collector)
        query = QueryServer(app, settings.query)
        await query.start()
        stack.push_async_callback(query.stop)
        await collector.start()
        stack.push_async_callback(collector.stop)
        await scraper.start()
        stack.push_async_callback(scraper.stop)
        write, mesh = collector.write_samples, parts.configuration
        for periodic in (rules, HealthRecorder(series, settings.health, mesh, write, clock)):
            periodic.start()
            stack.push_async_callback(periodic.stop)

        watching = asyncio.create_task(health.watch_event_loop(metrics))
        stack.callback(watching.cancel)
        checks["start"] = lambda: "stopping" if stopping.is_set() else ""
        heap.settle()
        announce(settings, _endpoints(settings, query, collector, health_server, pilot))
        await stopping.wait()
        log.info("stopping")
    log.info("stopped")


def _bus(settings: Settings, store: Lake, metrics: Metrics) -> tuple[Bus, DeadLetterSink]:
    """The bus, and where it keeps what cannot be decoded; the local one begins behind what is in the lake."""
    if settings.bus.kind == "kafka":
        kafka = KafkaBus(_directory(settings.storage.path / "spool"), settings.bus, settings.kafka, metrics)
        return kafka, kafka.dead_letters
    bus = LocalBus(_directory(settings.storage.path / "bus"), settings.bus, metrics)
    for topic in TOPICS:
        partition = Partition(topic)
        bus.reserve(partition, store.committed(partition))
    return bus, DeadLetters(settings.storage.path / "dead-letters", DEAD_LETTER_BYTES)


def _scraper(
    settings: Settings, collector: Collector, pilot: Pilot | None, own_port: int, clock: SystemClock
) -> Scraper:
    """What is configured, this process, and the mesh's proxies."""
    scraper = Scraper(settings.scrape, collector.write_samples, clock)
    scraper.add_own(f"{settings.telemetry.host}:{own_port}")
    if pilot is not None:
        scraper.add_mesh(pilot.scrape_targets, derived=settings.ingester.derived_metrics)
    return scraper


def _mount(app: FastAPI, collector: Collector) -> None:
    """Receivers at paths of the query port."""
    app.mount("/api/otlp", collector.http_app)  # browsers may send to the origin that a page came from
    app.mount("/api/v1/otlp", collector.http_app)  # as Prometheus' users expect
    route = Route("/api/v1/write", collector.remote_write_app)  # as Prometheus users expect
    app.router.routes.append(route)


async def _pilot(
    settings: Settings, clock: SystemClock, metrics: Metrics, stack: AsyncExitStack
) -> Pilot | None:
    """The control plane, started, if there is a mesh."""
    if not settings.mesh.enabled:
        return None
    pilot = Pilot(settings.mesh, settings.storage.path / "mesh", clock, metrics.registry)
    stack.push_async_callback(pilot.stop)
    await pilot.start()
    return pilot


def _defined(pilot: Pilot | None) -> Configuration:
    """The mesh's configuration, if there is a mesh."""
    return NoConfiguration() if pilot is None else MeshConfiguration(pilot.store)


def _directory(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"cannot use {path} ({error.strerror}): change storage.path") from error
    return path


def _health_server(settings: Settings, metrics: Metrics, checks: dict[str, health.Check]) -> HttpServer:
    listener = bind(settings.telemetry.host, settings.telemetry.port, "telemetry.port")
    return HttpServer(health.create_app(metrics, checks), listener)


def _endpoints(
    settings: Settings,
    query: QueryServer,
    collector: Collector,
    health_server: HttpServer,
    pilot: Pilot | None,
) -> Endpoints:
    return Endpoints(
        query=f"http://{settings.query.host}:{query.port}{settings.query.base_path}",
        otlp_grpc=f"{settings.collector.host}:{collector.grpc_port}",
        otlp_http=f"http://{settings.collector.host}:{collector.http_port}",
        health=f"http://{settings.telemetry.host}:{health_server.port}",
        xds=f"{settings.mesh.host}:{pilot.port}" if pilot else "",
        xds_tls=f"{settings.mesh.tls_host}:{pilot.tls_port}" if pilot and pilot.tls_port else "",
    )
