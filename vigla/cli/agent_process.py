"""The agent and its health in one process."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack

from collector.agent.ports import AgentPorts
from collector.agent.server import Agent
from vigla.cli.stopping import stop_on_signals
from vigla.clock import SystemClock
from vigla.listen import HttpServer, bind
from vigla.settings import Settings
from vigla.telemetry import health
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)


async def run(settings: Settings, announce: Callable[[Settings, AgentPorts], None]) -> None:
    """Start the agent, serve until SIGTERM or SIGINT, then stop.

    Raises:
        SettingsError: the collector is not set, or a port cannot be used.
        StorageUnavailable: the spool is held by another process or cannot be read.
    """
    stopping, metrics = stop_on_signals(), Metrics()
    checks: dict[str, health.Check] = {"start": lambda: "starting"}
    async with AsyncExitStack() as stack:
        listener = bind(settings.telemetry.host, settings.telemetry.port, "telemetry.port")
        health_server = HttpServer(health.create_app(metrics, checks), listener)
        await health_server.start()
        stack.push_async_callback(health_server.stop)
        running = Agent(settings, settings.storage.path / "agent", metrics, SystemClock())
        stack.push_async_callback(running.stop)
        ports = await running.start()
        watching = asyncio.create_task(health.watch_event_loop(metrics))
        stack.callback(watching.cancel)
        checks["spool"] = running.problem
        checks["start"] = lambda: "stopping" if stopping.is_set() else ""
        announce(settings, ports)
        await stopping.wait()
        log.info("stopping")
    log.info("stopped")
