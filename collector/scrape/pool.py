"""The targets of one scrape configuration: loops begin and end as discovery finds them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.scrape.discovery import Groups, from_files, from_http
from collector.scrape.fetch import client_of
from collector.scrape.loop import Loop, Write
from collector.scrape.series_cache import Limits, limits_of
from collector.scrape.targets import Target, resolve
from vigla.clock import Clock
from vigla.errors import Overloaded
from vigla.prometheus.config import GlobalConfig, ScrapeConfig

log = logging.getLogger(__name__)
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one scrape may take, whatever the configuration says.

    Attributes:
        samples: of a page.
        page_bytes: inflated.
    """

    samples: int
    page_bytes: int


class Pool:
    """Scrapes the targets of one configuration.

    Args:
        config: of the targets.
        defaults: of intervals.
        folder: that file names are relative to.
        bounds: of each scrape.
        write: where samples go.
        clock: the time.
        more: target groups from elsewhere.

    Raises:
        SettingsError: a file of the configuration cannot be read.
    """

    def __init__(  # noqa: PLR0913, PLR0917  the parts a pool is made of
        self,
        config: ScrapeConfig,
        defaults: GlobalConfig,
        folder: Path,
        bounds: Bounds,
        write: Write,
        clock: Clock,
        more: Sequence[AsyncIterator[Groups]] = (),
    ) -> None:
        self.config = config
        self.dropped: tuple[Mapping[str, str], ...] = ()
        self.problem = ""
        self._defaults = defaults
        self._bounds = bounds
        self._write = write
        self._clock = clock
        self._client = client_of(config)
        self._sources: list[AsyncIterator[Groups]] = [
            *(from_files(each, folder) for each in config.file_sd_configs),
            *(from_http(each) for each in config.http_sd_configs),
            *more,
        ]
        self._found: dict[int, Groups] = {-1: tuple(config.static_configs)}
        self._loops: dict[tuple[object, ...], tuple[Loop, asyncio.Task[None]]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def loops(self) -> list[Loop]:
        """Of all targets, by URL."""
        return sorted((loop for loop, _ in self._loops.values()), key=lambda loop: loop.target.url)

    async def start(self) -> None:
        """Begin; from within the event loop."""
        await self._sync()
        self._tasks = [
            asyncio.create_task(self._follow(number, source)) for number, source in enumerate(self._sources)
        ]

    async def stop(self, *, ended: bool) -> None:
        """End; with ``ended`` the series are marked so, as the targets are configured no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for key in list(self._loops):
            await self._drop(key, ended=ended)
        await self._client.aclose()

    async def _follow(self, number: int, source: AsyncIterator[Groups]) -> None:
        async for groups in source:
            self._found[number] = groups
            await self._sync()

    async def _sync(self) -> None:
        groups = [group for found in self._found.values() for group in found]
        resolved = resolve(groups, self.config, self._defaults)
        self.dropped, self.problem = resolved.dropped, "; ".join(resolved.problems[:3])
        if self.problem:
            log.warning("targets are not scraped", extra={"job": self.config.job_name, "error": self.problem})
        targets = {target.key: target for target in resolved.targets}
        limit = self.config.target_limit
        if limit and len(targets) > limit:
            self.problem = f"target_limit exceeded (number of targets: {len(targets)}, limit: {limit})"
            log.error(self.problem, extra={"job": self.config.job_name})
            targets = {}
        for key in self._loops.keys() - targets.keys():
            await self._drop(key, ended=True)
        for key, target in targets.items():
            if key not in self._loops:
                loop = self._loop(target)
                self._loops[key] = (loop, asyncio.create_task(loop.run()))

    def _loop(self, target: Target) -> Loop:
        limits: Limits = limits_of(self.config, self._bounds.samples)
        most = self._bounds.page_bytes
        return Loop(target, self.config, limits, most, self._client, self._write, self._clock)

    async def _drop(self, key: tuple[object, ...], *, ended: bool) -> None:
        loop, task = self._loops.pop(key)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if ended:
            try:
                await loop.end(self._clock.now_ns() // NS_PER_MS)
            except Overloaded as error:
                log.warning("series are not marked as ended", extra={"error": str(error)})
