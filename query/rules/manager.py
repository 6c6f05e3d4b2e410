"""Keeps rules evaluated: reads their files again when they change, and runs each group at its interval."""

import asyncio
import glob
import hashlib
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

from query.promql.engine import Engine
from query.promql.series import SeriesSource
from query.rules import evaluation
from query.rules.alerts import Alert
from query.rules.evaluation import GroupState, Surroundings
from query.rules.groups import Group, RuleFileError, groups, load
from query.rules.notifier import Notice, Notifier, notice
from query.rules.points import requests
from query.rules.restore import restore
from vigla.clock import Clock
from vigla.errors import Overloaded, SettingsError, ViglaError
from vigla.settings import RulesSettings
from vigla.storage.api import Stop
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

Write: TypeAlias = Callable[[bytes], Awaitable[None]]
"""Makes a compressed remote write request durable."""

THREADS = 2
MESH_PACK = "mesh.yml"
WRITE_ATTEMPTS = 3
NS_PER_MS, MS_PER_S = 1_000_000, 1000
Key: TypeAlias = tuple[str, str]


class Rules:
    """All groups of all rule files.

    One process that holds the lake's data directory runs them, so no other does.

    Args:
        settings: files, receivers.
        source: the series.
        write: where samples of rules go.
        clock: the time.
        metrics: counts evaluations and notices.

    Raises:
        SettingsError: a rule file is wrong.
    """

    def __init__(
        self, settings: RulesSettings, source: SeriesSource, write: Write, clock: Clock, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._around = Surroundings(
            Engine(), source, dict(settings.external_labels), settings.external_url.rstrip("/")
        )
        self._write = write
        self._clock = clock
        self._metrics = metrics
        self._notifier = Notifier(
            settings.alertmanagers, settings.webhooks, self._around.external_url, metrics
        )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="rules")
        self._states: dict[Key, GroupState] = {}
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._signature: object = None
        self.problem = ""
        """What keeps a changed file from being used; empty: nothing."""
        try:
            self._take(self._read())
        except RuleFileError as error:
            raise SettingsError(f"rules.files: {error}") from error

    @property
    def states(self) -> list[GroupState]:
        """All groups, by file and name."""
        return [self._states[key] for key in sorted(self._states)]

    @property
    def alertmanagers(self) -> list[str]:
        """URLs that are told of alerts."""
        return self._notifier.alertmanagers

    def start(self) -> None:
        """Begin to evaluate; from within the event loop."""
        self._notifier.start()
        self._run_groups()
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End; alerts stay as they are, and are restored at the next start."""
        tasks = [*self._running.values(), *([self._watching] if self._watching else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._notifier.stop()

    def _paths(self) -> list[Path]:
        found = {Path(path) for pattern in self._settings.files for path in glob.glob(pattern)}  # noqa: PTH207
        return sorted(found)

    def _read(self) -> list[Group]:
        """All groups, of the built-in file too.

        Raises:
            RuleFileError: a file is wrong.
        """
        interval = int(self._settings.evaluation_interval_s * MS_PER_S)
        paths = self._paths()
        self._signature = _signature(paths)
        found = [group for path in paths for group in load(path, interval)]
        if self._settings.mesh:
            text = files("query.rules").joinpath(MESH_PACK).read_text(encoding="utf-8")
            found += groups(text, MESH_PACK, interval)
        return found

    def _take(self, found: list[Group]) -> list[GroupState]:
        """Use these groups; rules that stay keep their alerts.

        Returns:
            Groups that are no more.
        """
        old, self._states = self._states, {}
        for group in found:
            key = (group.file, group.name)
            known = old.get(key)
            if known is not None and known.group == group:
                self._states[key] = old.pop(key)
                continue
            self._states[key] = evaluation.fresh(group)
            if known is not None:
                _inherit(self._states[key], known)
                old.pop(key)
        return list(old.values())

    def _run_groups(self) -> None:
        for key, task in list(self._running.items()):
            state = self._states.get(key)
            if state is None or task.get_name() != str(id(state)):
                task.cancel()
                del self._running[key]
        for key, state in self._states.items():
            if key not in self._running:
                self._running[key] = asyncio.create_task(self._run(state), name=str(id(state)))

    async def _watch(self) -> None:
        """Look for changes by polling: configuration that Kubernetes mounts changes by renamed links."""
        while True:
            await asyncio.sleep(self._settings.watch_interval_s)
            if _signature(self._paths()) == self._signature:
                continue
            try:
                gone = self._take(self._read())
            except RuleFileError as error:
                self.problem = str(error)
                log.error("rules are not reloaded", extra={"error": self.problem})  # noqa: TRY400
                continue
            self.problem = ""
            self._run_groups()
            log.info("rules are reloaded", extra={"groups": len(self._states)})
            for state in gone:
                await self._store(evaluation.ended(state), self._now())

    async def _run(self, state: GroupState) -> None:
        interval = state.group.interval_ms
        offset = _offset(state.group)
        fresh = state.evaluated_ms == 0 and not any(rule.written for rule in state.rules)
        while True:
            now = self._now()
            due = (now - offset) // interval * interval + interval + offset
            await asyncio.sleep((due - now) / MS_PER_S)
            if fresh and not await self._restored(state, due):
                continue
            fresh = False
            await self._evaluate(state, due)

    async def _restored(self, state: GroupState, now_ms: int) -> bool:
        loop = asyncio.get_running_loop()
        try:
            with self._deadline() as stop:
                await loop.run_in_executor(self._threads, restore, state, self._around.source, now_ms, stop)
        except ViglaError as error:
            log.warning("alerts are not restored yet", extra={"group": state.group.name, "error": str(error)})
            return False
        return True

    async def _evaluate(self, state: GroupState, due_ms: int) -> None:
        loop = asyncio.get_running_loop()
        with self._deadline() as stop:
            made = await loop.run_in_executor(
                self._threads, evaluation.evaluate, state, self._around, due_ms, stop
            )
        self._metrics.observe("vigla_rules_seconds", state.seconds)
        for rule in state.rules:
            if rule.health == "err":
                self._metrics.add("vigla_rules_failed_total")
                log.warning("a rule fails", extra={"rule": rule.rule.name, "error": rule.error})
        await self._store(made, due_ms)
        self._notifier.tell(self._notices(state, due_ms))

    @contextmanager
    def _deadline(self) -> Iterator[Stop]:
        stop = Stop()
        timer = threading.Timer(self._settings.timeout_s, stop.stop, ("deadline",))
        timer.daemon = True
        timer.start()
        try:
            yield stop
        finally:
            timer.cancel()

    async def _store(self, made: list[evaluation.Made], at_ms: int) -> None:
        for body in requests(made, at_ms):
            for _ in range(WRITE_ATTEMPTS):
                try:
                    await self._write(body)
                    break
                except Overloaded as error:
                    await asyncio.sleep(error.retry_after_s)
            else:
                self._metrics.add("vigla_rules_lost_total")
                log.error("samples of rules are lost: the collector refuses them")

    def _notices(self, state: GroupState, now_ms: int) -> list[Notice]:
        resend = int(self._settings.resend_interval_s * MS_PER_S)
        until = now_ms + 4 * max(state.group.interval_ms, resend)
        made = []
        for rule in state.rules:
            alerts: list[Alert] = list(rule.alerts.known.values()) if rule.alerts else []
            for alert in alerts:
                if alert.due(now_ms, resend):
                    made.append(notice(alert, rule.rule.text, self._around.external_url, until))
                    alert.sent_ms = now_ms
        return made

    def _now(self) -> int:
        return self._clock.now_ns() // NS_PER_MS


def _signature(paths: list[Path]) -> object:
    def stamp(path: Path) -> tuple[int, int]:
        try:
            stat = path.stat()
        except OSError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_size)

    return [(path, stamp(path)) for path in paths]


def _inherit(new: GroupState, old: GroupState) -> None:
    """Alerts, and what has to be marked as ended, of rules that are in both."""
    known = {(type(each.rule), each.rule.name, tuple(each.rule.labels.items())): each for each in old.rules}
    for each in new.rules:
        before = known.pop((type(each.rule), each.rule.name, tuple(each.rule.labels.items())), None)
        if before is None:
            continue
        each.written = before.written
        if each.alerts is not None and before.alerts is not None:
            each.alerts.known = before.alerts.known
    gone = {labels for each in known.values() for labels in each.written}
    if new.rules:
        new.rules[0].written |= gone
    new.evaluated_ms = old.evaluated_ms


def _offset(group: Group) -> int:
    """Spreads groups over their interval, always in the same way."""
    digest = hashlib.sha256(f"{group.file};{group.name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % group.interval_ms
