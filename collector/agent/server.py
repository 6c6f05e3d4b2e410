"""The agent role: receivers and tails before a spool on this machine's disk, and what empties it."""

import asyncio
import logging
import platform
from contextlib import AsyncExitStack
from pathlib import Path

from collector.agent.forward import Forwarder, Outlet
from collector.agent.jaeger_udp import JaegerUdp, Protocol
from collector.agent.ports import AgentPorts
from collector.agent.positions import PositionFile
from collector.agent.recovery import TAILED, recovered
from collector.agent.sampling import CollectorStrategies, FileStrategies, SamplingApp, Strategies
from collector.agent.tail import Kept, Tail
from collector.server import Collector
from vigla.bus.api import TOPICS
from vigla.bus.dead_letter import DeadLetters
from vigla.bus.local import LocalBus
from vigla.clock import Clock
from vigla.errors import SettingsError
from vigla.listen import HttpServer, bind
from vigla.settings import BusSettings, Settings
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

DRAIN_S = 5.0
"""At the end, what is on the spool gets this long to reach the collector; the rest waits on disk."""
DRAIN_POLL_S = 0.05


class Agent:
    """Takes telemetry on this machine and hands it to a collector.

    A success that it answers means that the payload is synced to its disk.

    Args:
        settings: sections ``agent``, ``collector`` (receivers), ``bus`` and ``storage``.
        directory: of the spool and of positions; one process's alone.
        metrics: counters and gauges.
        clock: the time.

    Raises:
        SettingsError: the collector's address or the sampling strategies cannot be used.
        StorageUnavailable: the directory cannot be used.
    """

    def __init__(self, settings: Settings, directory: Path, metrics: Metrics, clock: Clock) -> None:
        if not settings.agent.collector:
            raise SettingsError("agent.collector is not set: give the URL of the collector's OTLP over HTTP")
        self._settings = settings
        self._metrics = metrics
        self._spool = LocalBus(directory / "spool", _bus_settings(settings), metrics)
        self._stack = AsyncExitStack()
        self._stack.callback(self._spool.close)
        self._collector = Collector(settings.collector, self._spool, metrics, access_log_service=False)
        self._tail = self._made_tail(PositionFile(directory / "positions" / "files.json"), clock)
        set_aside = DeadLetters(directory / "set-aside", settings.agent.set_aside_bytes)
        outlet = Outlet(settings.agent, self._spool, set_aside, metrics)
        self._forwarders = [
            Forwarder(topic, outlet, PositionFile(directory / "positions" / f"{topic}.json"))
            for topic in TOPICS
        ]

    async def start(self) -> AgentPorts:
        """Listen, follow and forward.

        Raises:
            SettingsError: a port cannot be listened on; ``stop`` is still to be called.
        """
        agent, host = self._settings.agent, self._settings.collector.host
        for forwarder in self._forwarders:
            forwarder.start()
        self._stack.push_async_callback(self._empty)
        await self._collector.start()
        self._stack.push_async_callback(self._collector.stop)
        compact, binary = await self._jaeger("compact"), await self._jaeger("binary")
        server = HttpServer(
            SamplingApp(self._strategies()), bind(host, agent.sampling_port, "agent.sampling_port")
        )
        await server.start()
        self._stack.push_async_callback(server.stop)
        self._tail.start()
        self._stack.push_async_callback(self._tail.stop)
        return AgentPorts(self._collector.grpc_port, self._collector.http_port, compact, binary, server.port)

    def problem(self) -> str:
        """Why telemetry is refused now, empty when it is not; a collector that is away is no reason."""
        return next(filter(None, map(self._spool.problem, TOPICS)), "")

    async def stop(self) -> None:
        """Refuse what comes, keep what came, and send of it what can be sent soon."""
        await self._stack.aclose()

    def _made_tail(self, positions: PositionFile, clock: Clock) -> Tail:
        """Looks at the spool before forwarders free what they have delivered."""
        kept = Kept(self._collector.admission, lambda: self._spool.end(TAILED), positions, self._metrics)
        saved = recovered(positions.load(), self._spool)
        node = self._settings.agent.node or platform.node()
        return Tail(self._settings.agent, node, kept, saved, clock)

    async def _jaeger(self, protocol: Protocol) -> int:
        agent = self._settings.agent
        port = agent.jaeger_compact_port if protocol == "compact" else agent.jaeger_binary_port
        receiver = JaegerUdp(protocol, self._collector.admission, self._metrics)
        await receiver.start(self._settings.collector.host, port)
        self._stack.push_async_callback(receiver.stop)
        return receiver.port

    def _strategies(self) -> Strategies:
        if self._settings.collector.sampling_strategies is not None:
            return FileStrategies(self._collector.strategies)
        asking = CollectorStrategies(self._settings.agent.collector, self._settings.agent.headers)
        self._stack.push_async_callback(asking.close)
        return asking

    async def _empty(self) -> None:
        """Give the forwarders a moment, then end them."""
        deadline = asyncio.get_running_loop().time() + DRAIN_S
        while not all(f.idle() for f in self._forwarders):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(DRAIN_POLL_S)
        await asyncio.gather(*(asyncio.to_thread(f.stop) for f in self._forwarders))


def _bus_settings(settings: Settings) -> BusSettings:
    return settings.bus.model_copy(update={"max_backlog_bytes": settings.agent.spool_bytes})
