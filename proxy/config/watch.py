"""A folder of YAML files as the source of configuration: what is in it is applied, the rest deleted."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import awatch

from proxy.api.base import Model
from proxy.config.apply import judge, refused
from proxy.config.objects import ConfigObject, Key
from proxy.config.parse import DEFAULT_NAMESPACE, Problem
from proxy.config.revisions import Revision
from proxy.config.store import ConfigStore

AUTHOR = "file"
_LOOK_MS = 1000
_ENDINGS = frozenset({".yaml", ".yml", ".json"})
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Scan:
    """One look at all files.

    Attributes:
        owners: the file that each object comes from.
        kept: files whose last good content stays.
    """

    objects: dict[Key, ConfigObject[Model]] = field(default_factory=dict)
    owners: dict[Key, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)


class FolderSource:
    """Keeps the store like a folder; objects that others applied are left alone.

    A file with an error is not applied at all: what it held before stays until it is mended.

    Args:
        folder: searched with its subfolders for ``*.yaml``, ``*.yml``, ``*.json``; not in hidden ones.
        store: to apply to.
        namespace: of objects that name none.
    """

    def __init__(self, folder: Path, store: ConfigStore, namespace: str = DEFAULT_NAMESPACE) -> None:
        self._folder = folder
        self._store = store
        self._namespace = namespace
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._seen: tuple[tuple[Path, int, int], ...] = ()
        self.problems: tuple[Problem, ...] = ()

    async def start(self) -> None:
        """Apply the folder as it is, then follow it until ``stop``."""
        self._stop.clear()
        await asyncio.to_thread(self.scan)
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """End following; waits for a scan that is under way."""
        self._stop.set()
        if self._task is not None:
            await self._task
            self._task = None

    async def _follow(self) -> None:
        # A look at the files each second besides finds what happened before the watching began, and what
        # network file systems do not tell.
        async for _ in awatch(
            self._folder,
            stop_event=self._stop,
            step=50,
            debounce=400,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,
        ):
            if await asyncio.to_thread(self._state) != self._seen:
                await asyncio.to_thread(self.scan)

    def scan(self) -> Revision | None:
        """Read all files and apply what changed as one revision; None: there is no folder."""
        self._seen = self._state()
        if not self._folder.is_dir():
            self.problems = (Problem("the folder is gone: its objects stay", file=str(self._folder)),)
            return None
        current = self._store.current().by_key
        found = _Scan()
        for path in self._files():
            self._read(path, found)
        self._settle(found, current)
        gone = [key for key, obj in current.items() if self._is_gone(key, obj, found)]
        self.problems = tuple(found.problems)
        for problem in refused(self.problems):
            log.warning("configuration file refused: %s", problem)
        return self._store.apply(found.objects.values(), AUTHOR, self._message(found, gone), gone)

    def _files(self) -> list[Path]:
        found = self._folder.rglob("*")
        return sorted(
            path
            for path in found
            if path.suffix in _ENDINGS
            and path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(self._folder).parts)
        )

    def _state(self) -> tuple[tuple[Path, int, int], ...]:
        """Files with their times and sizes."""
        found = []
        for path in self._files():
            try:
                state = path.stat()
            except OSError:  # gone since the listing
                continue
            found.append((path, state.st_mtime_ns, state.st_size))
        return tuple(found)

    def _read(self, path: Path, found: _Scan) -> None:
        name = str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:  # gone since the listing
            return
        except (OSError, UnicodeDecodeError) as error:
            found.problems.append(Problem(f"cannot be read: {error}", file=name))
            found.kept.add(name)
            return
        objects, problems = judge(text, name, self._namespace)
        twice = [_twice(obj, found.owners[obj.key]) for obj in objects if obj.key in found.owners]
        found.problems.extend((*problems, *twice))
        if twice or refused(problems):
            found.kept.add(name)
            return
        for obj in objects:
            found.objects[obj.key] = obj
            found.owners[obj.key] = name

    def _is_gone(self, key: Key, obj: ConfigObject[Model], found: _Scan) -> bool:
        """It came from this folder, and no file that can be read has it any more."""
        file = obj.origin.file
        ours = bool(file) and Path(file).is_relative_to(self._folder)
        return ours and key not in found.objects and file not in found.kept

    def _settle(self, found: _Scan, current: Mapping[Key, ConfigObject[Model]]) -> None:
        """A refused file keeps its objects, even where another file now has them too."""
        taken = {
            key: current[key].origin.file
            for key, file in found.owners.items()
            if key in current and current[key].origin.file in found.kept - {file}
        }
        for key, owner in taken.items():
            found.problems.append(_twice(found.objects[key], owner))
        losers = {found.owners[key] for key in taken}
        found.kept |= losers
        for key in [key for key, file in found.owners.items() if file in losers]:
            del found.objects[key], found.owners[key]

    def _message(self, found: _Scan, gone: list[Key]) -> str:
        files = sorted(set(found.owners.values()))
        return f"{len(files)} files of {self._folder}" + (f"; {len(gone)} objects gone" if gone else "")


def _twice(obj: ConfigObject[Model], file: str) -> Problem:
    message = f"is already in {file}: remove one of them"
    return Problem(message, (), obj.origin.file, obj.origin.line(()), str(obj.key))
