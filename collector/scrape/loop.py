"""The loop of one target: a scrape each interval, its samples, and what is said about the scrape itself."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import httpx
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.scrape.fetch import Fetched, fetch
from collector.scrape.series_cache import Limits, SeriesCache
from collector.scrape.targets import Target
from vigla.clock import Clock
from vigla.errors import BadInput, Overloaded
from vigla.prometheus.config import ScrapeConfig
from vigla.prometheus.staleness import STALE
from vigla.wire.exposition.page import Page, metadata, read
from vigla.wire.exposition.series_text import exemplar_of
from vigla.wire.remote_write.encode import Exemplar, Metadata, encode_told
from vigla.wire.remote_write.rows import EARLIEST_MS, LATEST_MS, heads_array, request, series_head

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]
Write: TypeAlias = Callable[[bytes], Awaitable[None]]
Health = Literal["unknown", "up", "down"]

NS_PER_MS, MS_PER_S = 1_000_000, 1000
AHEAD_MS = 600_000  # later samples would be refused with all others
INLINE_BYTES = 64 * 1024  # a page of this size is read in a millisecond
REPORTED = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)


@dataclass(slots=True)
class Status:
    """What the last scrape was like; ``at_ms`` 0: there was none."""

    health: Health = "unknown"
    error: str = ""
    at_ms: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Loop:
    """Scrapes one target.

    Attributes:
        target: what is scraped.
        config: how.
        limits: of its samples.
        most_bytes: of a page.
        client: to reach it.
        write: where samples go.
        clock: the time.
        status: of the last scrape.
        metadata: of its families.
    """

    target: Target
    config: ScrapeConfig
    limits: Limits
    most_bytes: int
    client: httpx.AsyncClient
    write: Write
    clock: Clock
    status: Status = field(default_factory=Status)
    metadata: list[Metadata] = field(default_factory=list)
    _cache: SeriesCache = field(init=False)
    _reports: pa.Array = field(init=False)
    _present: pa.Array = field(init=False)
    _comments: tuple[str, ...] = ()
    _examples: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._cache = SeriesCache(self.target.labels, self.config, self.limits)
        own = dict(self.target.labels)
        self._reports = heads_array([series_head({**own, "__name__": name}) for name in REPORTED])
        self._present = heads_array([])

    async def run(self) -> None:
        """Scrape for ever, at times that are spread over the interval and stay the same after a restart."""
        interval = self.target.interval_ms
        offset = _offset(self.target) % interval
        while True:
            now = self._now()
            await asyncio.sleep((interval - (now - offset) % interval) / MS_PER_S)
            try:
                await self.scrape(self._now())
            except Overloaded as error:
                self.status.error = f"samples are refused: {error}"
                log.warning("a scrape is lost", extra={"url": self.target.url, "error": str(error)})

    async def scrape(self, now_ms: int) -> None:
        """Scrape once and write what it gave, or that it failed.

        Raises:
            Overloaded: the bus is full; the scrape is lost.
        """
        began = time.perf_counter()
        page: Page | None = None
        error = ""
        try:
            page = await self._page()
            heads, kept = self._series(page)
        except BadInput as failed:
            error = str(failed)
        except TimeoutError:
            error = f"context deadline exceeded: no page within {self.target.timeout_ms} ms"
        if error:
            page, heads, kept = None, heads_array([]), np.zeros(0, np.int64)
        self.status = Status("down" if error else "up", error, now_ms, time.perf_counter() - began)
        await self._write(page, heads, kept, now_ms)

    async def end(self, now_ms: int) -> None:
        """Mark all series of the target as ended."""
        await self._write_stale(pa.concat_arrays([self._present, self._reports]), now_ms)

    async def _page(self) -> Page:
        """Raises BadInput and TimeoutError."""
        async with asyncio.timeout(self.target.timeout_ms / MS_PER_S):
            seconds = self.target.timeout_ms / MS_PER_S
            fetched = await fetch(self.client, self.target.url, self.config, seconds, self.most_bytes)
            if len(fetched.body) <= INLINE_BYTES:
                return _read(fetched)
            return await asyncio.to_thread(_read, fetched)

    def _series(self, page: Page) -> tuple[pa.Array, Ints]:
        """How the series begin, and the lines that are kept."""
        codes = self._cache.codes(page.series)
        kept = np.flatnonzero(codes >= 0)
        return self._cache.heads(codes[kept]), kept

    async def _write(
        self,
        page: Page | None,
        heads: pa.Array,
        kept: Ints,
        now_ms: int,
    ) -> None:
        added = pc.sum(pc.is_null(pc.index_in(heads, value_set=self._present))).as_py() or 0
        gone = self._present.filter(pc.is_null(pc.index_in(self._present, value_set=heads)))
        values = np.zeros(0) if page is None else page.values[kept]
        times = np.full(len(kept), now_ms)
        if page is not None and self.config.honor_timestamps:
            given = page.times[kept]
            times = np.where(given != 0, given, now_ms)
        right = (times >= EARLIEST_MS) & (times <= min(LATEST_MS, now_ms + AHEAD_MS))
        heads, values, times = heads.filter(pa.array(right)), values[right], times[right]
        scraped = 0 if page is None else len(page.series)
        about = np.array(
            [float(page is not None), self.status.seconds, scraped, len(kept), added], np.float64
        )
        if len(heads):
            await self.write(request(heads, values, times))
        await self._write_stale(gone, now_ms)
        await self.write(request(self._reports, about, np.full(len(REPORTED), now_ms)))
        self._present = heads
        if page is not None:
            await self._write_told(page, now_ms)

    async def _write_stale(self, heads: pa.Array, now_ms: int) -> None:
        if len(heads):
            await self.write(request(heads, np.full(len(heads), STALE), np.full(len(heads), now_ms)))

    async def _write_told(self, page: Page, now_ms: int) -> None:
        """Metadata where it changed, and exemplars not seen in the last scrape."""
        changed: list[Metadata] = []
        if page.comments != self._comments:
            self._comments, self.metadata = page.comments, metadata(page.comments)
            changed = self.metadata
        examples = self._exemplars(page, now_ms)
        if changed or examples:
            await self.write(encode_told(examples, changed))

    def _exemplars(self, page: Page, now_ms: int) -> list[tuple[Mapping[str, str], Exemplar]]:
        given = pc.not_equal(page.exemplars, "")
        if not pc.any(given).as_py():
            return []
        pairs = zip(
            page.series.filter(given).to_pylist(), page.exemplars.filter(given).to_pylist(), strict=True
        )
        seen = set(pairs)
        fresh, self._examples = seen - self._examples, seen
        made: list[tuple[Mapping[str, str], Exemplar]] = []
        for series, text in sorted(fresh):
            labels, (own, value, at) = self._cache.labels(series), exemplar_of(text)
            if labels is not None:
                made.append((labels, Exemplar(own, value, at or now_ms)))
        return made

    def _now(self) -> int:
        return self.clock.now_ns() // NS_PER_MS


def _read(fetched: Fetched) -> Page:
    return read(fetched.body, fetched.form)


def _offset(target: Target) -> int:
    digest = hashlib.sha256(f"{target.url}{target.labels}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
