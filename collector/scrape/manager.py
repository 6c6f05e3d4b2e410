"""All that is scraped: the pools of a configuration file, the mesh's proxies, and this process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from collector.scrape.discovery import Groups, polled
from collector.scrape.loop import Write
from collector.scrape.pool import Bounds, Pool
from vigla.clock import Clock
from vigla.errors import SettingsError
from vigla.prometheus.config import GlobalConfig, PrometheusConfig, ScrapeConfig, TargetGroup, load
from vigla.prometheus.relabel import RelabelConfig
from vigla.settings import ScrapeSettings

log = logging.getLogger(__name__)

WATCH_S = 2.0
MS_PER_S = 1000
NS_PER_MS = 1_000_000
OWN_JOB, MESH_JOB = "vigla", "envoy"
FROM_ACCESS_LOGS = (
    r"istio_(requests_total|tcp_\w+|(request_duration_milliseconds|request_bytes|response_bytes)(_\w+)?)"
)
"""Metrics that are made of access logs already: scraped too they would count twice."""


class Scraper:
    """Runs all pools.

    Args:
        settings: the file, bounds.
        write: where samples go: a compressed remote write request, made durable.
        clock: the time.

    Raises:
        SettingsError: the file is wrong.
    """

    def __init__(self, settings: ScrapeSettings, write: Write, clock: Clock) -> None:
        self._settings = settings
        self._write = write
        self._clock = clock
        self._built_in: list[Pool] = []
        self._pools: dict[str, tuple[ScrapeConfig, GlobalConfig, Pool]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._stamp = self._stamped()
        self._config = load(settings.config) if settings.config else PrometheusConfig()
        self.problem = ""
        """What keeps a changed file from being used; empty: nothing."""
        self.problem_ms = 0
        """Since when, milliseconds since the epoch."""

    @property
    def configuration(self) -> str:
        """The file that is followed, as it may be shown; empty without one."""
        return self._config.text

    @property
    def pools(self) -> list[Pool]:
        """All pools, by job."""
        found = [*self._built_in, *(pool for _, _, pool in self._pools.values())]
        return sorted(found, key=lambda pool: pool.config.job_name)

    def add_own(self, address: str) -> None:
        """Scrape this process.

        Args:
            address: host and port of its metrics.
        """
        if self._settings.own:
            group = TargetGroup(targets=(address,))
            config = ScrapeConfig(job_name=OWN_JOB, static_configs=(group,), **self._interval())
            self._built_in.append(self._pool(config, GlobalConfig()))

    def add_mesh(self, targets: Callable[[], Groups], *, derived: bool) -> None:
        """Scrape the proxies of the mesh.

        Args:
            targets: their addresses with labels.
            derived: metrics are made of their access logs too.
        """
        if not self._settings.mesh:
            return
        drop = RelabelConfig(source_labels=("__name__",), regex=FROM_ACCESS_LOGS, action="drop")
        config = ScrapeConfig(
            job_name=MESH_JOB, metric_relabel_configs=(drop,) if derived else (), **self._interval()
        )
        self._built_in.append(self._pool(config, GlobalConfig(), polled(targets)))

    async def start(self) -> None:
        """Begin; from within the event loop."""
        for pool in self._built_in:
            await pool.start()
        await self._take(self._config)
        if self._settings.config:
            self._watching = asyncio.create_task(self._watch(self._settings.config))

    async def stop(self) -> None:
        """End; series are not marked as ended, for the process comes back."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        for pool in self.pools:
            await pool.stop(ended=False)

    def _interval(self) -> dict[str, int]:
        interval = int(self._settings.interval_s * MS_PER_S)
        return {"scrape_interval": interval, "scrape_timeout": min(interval, 10 * MS_PER_S)}

    def _pool(self, config: ScrapeConfig, defaults: GlobalConfig, *more: AsyncIterator[Groups]) -> Pool:
        bounds = Bounds(self._settings.max_samples, self._settings.max_page_bytes)
        folder = self._settings.config.parent if self._settings.config else Path()
        return Pool(config, defaults, folder, bounds, self._write, self._clock, more)

    async def _take(self, config: PrometheusConfig) -> None:
        """Use a configuration; pools whose part did not change go on."""
        for name in config.ignored:
            log.warning("a part of the configuration is not followed", extra={"part": name})
        wanted = {each.job_name: each for each in config.scrape_configs}
        made = {
            name: self._pool(each, config.global_)
            for name, each in wanted.items()
            if (each, config.global_) != self._pools.get(name, (None, None))[:2]
        }
        for name in list(self._pools):
            if name in made or name not in wanted:
                await self._pools.pop(name)[2].stop(ended=name not in wanted)
        for name, pool in made.items():
            for kind in wanted[name].unsupported:
                log.warning("service discovery is not followed", extra={"job": name, "kind": kind})
            self._pools[name] = (wanted[name], config.global_, pool)
            await pool.start()

    async def _watch(self, path: Path) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            stamp = self._stamped()
            if stamp == self._stamp:
                continue
            self._stamp = stamp
            try:
                config = await asyncio.to_thread(load, path)
            except SettingsError as error:
                self.problem, self.problem_ms = str(error), self._clock.now_ns() // NS_PER_MS
                log.error("scrape_configs are not reloaded", extra={"error": self.problem})  # noqa: TRY400
                continue
            self._config, self.problem = config, ""
            await self._take(config)
            log.info("scrape_configs are reloaded")

    def _stamped(self) -> tuple[int, int]:
        try:
            stat = self._settings.config.stat() if self._settings.config else None
        except OSError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_size) if stat else (0, 0)
