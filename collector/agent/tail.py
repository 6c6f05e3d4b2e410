"""Follows access log files and keeps their lines on the spool, each once.

How far a file is done stands in the very record that holds its lines, besides in a file: a process killed
between the two finds the place on the spool.
"""

import asyncio
import glob
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from collector.admission import Admission
from collector.agent.positions import PositionFile
from collector.agent.recovery import MARK, Saved
from collector.agent.tailed_file import Chunk, TailedFile
from vigla.clock import Clock
from vigla.errors import Overloaded
from vigla.settings import AgentSettings
from vigla.telemetry.metrics import Metrics
from vigla.wire.access_logs.lines import parsed
from vigla.wire.access_logs.to_otlp import request

log = logging.getLogger(__name__)

COMPRESSED = frozenset({".gz", ".bz2", ".xz", ".zst"})
"""What rotation makes of files that are done."""


class Kept(NamedTuple):
    """Where lines and places go.

    Attributes:
        admission: takes the lines.
        end: the offset that the spool's next record of access logs gets.
        positions: keeps the places.
        metrics: counts lines that are skipped.
    """

    admission: Admission
    end: Callable[[], int]
    positions: PositionFile
    metrics: Metrics


class Tail:
    """Follows all files of the patterns.

    Args:
        settings: patterns, and what is said of each line.
        node: name of this machine.
        kept: where lines and places go.
        saved: places from before.
        clock: the time.
    """

    def __init__(self, settings: AgentSettings, node: str, kept: Kept, saved: Saved, clock: Clock) -> None:
        self._settings = settings
        self._resource = {"node_name": node}
        self._kept = kept
        self._clock = clock
        self._saved = saved
        self._files: dict[tuple[int, int], TailedFile] = {}
        self._complained: set[str] = set()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._task = asyncio.create_task(self._run(), name="tail")

    async def stop(self) -> None:
        """End once the lines that are under way are kept."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        for file in self._files.values():
            file.close()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._look()
            wait_s = 0.0
            try:
                busy = [await self._advance(file) for file in list(self._files.values())]
            except Overloaded as error:
                self._kept.admission.refused("logs", "file", "overload")
                busy, wait_s = [], error.retry_after_s
            if not any(busy):
                await self._pause(max(wait_s, self._settings.poll_interval_s))

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _look(self) -> None:
        """Open files that are new; those that left their path are read to their end."""
        here = self._found()
        for key, path in (self._moved(here) | here).items():
            if key not in self._files:
                self._open(path)
        for key, file in self._files.items():
            file.renamed = key not in here
            file.path = here.get(key, file.path)

    def _found(self) -> dict[tuple[int, int], Path]:
        paths = (Path(name) for pattern in self._settings.access_logs for name in sorted(glob.glob(pattern)))  # noqa: PTH207  patterns are absolute
        return _by_identity(path for path in paths if path.suffix not in COMPRESSED)

    def _moved(self, here: Mapping[tuple[int, int], Path]) -> dict[tuple[int, int], Path]:
        """Files that were renamed while nobody followed them, and have lines left."""
        missing = {key: path for key, path in self._saved.unopened().items() if key not in here}
        folders = {path.parent for path in missing.values() if path.parent.is_dir()}
        beside = _by_identity(path for folder in folders for path in folder.iterdir())
        self._saved.forget(missing.keys() - beside.keys())
        return {key: beside[key] for key in missing.keys() & beside.keys()}

    def _open(self, path: Path) -> None:
        try:
            key = _identity(path)
            file = TailedFile(path, self._saved.place(key), self._clock.monotonic())
        except OSError as error:
            self._complain(path, f"cannot be read: {error.strerror}")
            return
        self._saved.forget([key])
        self._files[key] = file

    async def _advance(self, file: TailedFile) -> bool:
        """Keep the next lines of a file; whether there were any."""
        now = self._clock.monotonic()
        left = file.renamed and now - file.grown_at >= self._settings.rotation_wait_s
        try:
            chunk = file.read(last=left)
        except OSError as error:
            self._complain(file.path, f"cannot be read: {error.strerror}")
            chunk = None
        if chunk is None:
            if left:
                self._leave(file)
            return False
        await self._keep(file, chunk)
        file.grown_at = now
        return True

    async def _keep(self, file: TailedFile, chunk: Chunk) -> None:
        admission = self._kept.admission
        logs = await admission.in_thread(parsed, chunk.lines)
        if len(logs.starts):
            resource = self._resource | {MARK: str(chunk.place)}
            body = request(logs, resource, self._settings.access_log_attributes)
            await admission.accept_protobuf("logs", "file", body)
        skipped = logs.skipped + chunk.too_long
        if skipped:
            self._kept.metrics.add("vigla_agent_lines_skipped_total", skipped)
            self._complain(file.path, "has lines that are in neither of Istio's default formats")
        file.place = chunk.place
        self._save()

    def _leave(self, file: TailedFile) -> None:
        file.close()
        del self._files[file.place.file]
        self._save()

    def _save(self) -> None:
        places = [[str(file.path), str(file.place)] for file in self._files.values()]
        try:
            self._kept.positions.save({"end": self._kept.end(), "places": places})
        except OSError as error:
            self._complain(Path("positions"), f"cannot be kept: {error.strerror}")

    def _complain(self, path: Path, text: str) -> None:
        """Once for each."""
        line = f"{path} {text}"
        if line not in self._complained:
            self._complained.add(line)
            log.warning("access logs: %s", line)


def _by_identity(paths: Iterable[Path]) -> dict[tuple[int, int], Path]:
    """Those that are there."""
    found = {}
    for path in paths:
        with suppress(OSError):  # gone since it was listed
            if path.is_file():
                found[_identity(path)] = path
    return found


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
