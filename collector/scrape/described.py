"""Pools and targets as Prometheus' API shows them."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from collector.scrape.loop import Loop
from collector.scrape.manager import Scraper
from vigla.prometheus.durations import format_duration

NEVER = "0001-01-01T00:00:00Z"


class DescribedTargets:
    """What ``/targets``, ``/scrape_pools`` and ``/targets/metadata`` answer.

    Args:
        scraper: whose targets.
    """

    def __init__(self, scraper: Scraper) -> None:
        self._scraper = scraper

    def pools(self) -> list[str]:
        """Names of scrape pools."""
        return [pool.config.job_name for pool in self._scraper.pools]

    def active(self, pool: str) -> list[dict[str, Any]]:
        """Targets that are scraped; of one pool if it is named."""
        return [
            _target(each.config.job_name, loop)
            for each in self._scraper.pools
            if pool in {"", each.config.job_name}
            for loop in each.loops
        ]

    def dropped(self, pool: str) -> list[dict[str, Any]]:
        """Targets that relabelling dropped."""
        return [
            {"discoveredLabels": dict(labels), "scrapePool": each.config.job_name}
            for each in self._scraper.pools
            if pool in {"", each.config.job_name}
            for labels in each.dropped[: each.config.keep_dropped_targets or None]
        ]

    def dropped_counts(self) -> dict[str, int]:
        """By pool."""
        return {each.config.job_name: len(each.dropped) for each in self._scraper.pools}

    def configuration(self) -> str:
        """The file that is followed, as YAML without secrets."""
        return self._scraper.configuration

    def problem(self) -> tuple[str, int]:
        """What keeps a changed file from being used, and since when in milliseconds; empty: nothing."""
        return self._scraper.problem, self._scraper.problem_ms

    def metadata(self) -> Iterator[dict[str, Any]]:
        """Of each target, its families."""
        for pool in self._scraper.pools:
            for loop in pool.loops:
                for told in loop.metadata:
                    yield {
                        "target": dict(loop.target.labels),
                        "metric": told.name,
                        "type": told.type,
                        "help": told.help,
                        "unit": told.unit,
                    }


def _target(pool: str, loop: Loop) -> dict[str, Any]:
    target, status = loop.target, loop.status
    return {
        "discoveredLabels": dict(target.discovered),
        "labels": dict(target.labels),
        "scrapePool": pool,
        "scrapeUrl": target.url,
        "globalUrl": target.url,
        "lastError": status.error,
        "lastScrape": _time(status.at_ms),
        "lastScrapeDuration": status.seconds,
        "health": status.health,
        "scrapeInterval": format_duration(target.interval_ms),
        "scrapeTimeout": format_duration(target.timeout_ms),
    }


def _time(ms: int) -> str:
    if not ms:
        return NEVER
    moment = dt.datetime.fromtimestamp(ms / 1000, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
