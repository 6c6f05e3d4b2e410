"""How far something was read, kept in a small file that a crash leaves as it was or as it is."""

import os
from pathlib import Path
from typing import Any

import orjson

from vigla.bus.segment import sync_directory
from vigla.errors import StorageUnavailable


class PositionFile:
    """A JSON value on disk, replaced as a whole.

    Args:
        path: its folder is made when missing.

    Raises:
        StorageUnavailable: the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(f"{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"cannot make {path.parent}: {error.strerror}") from error

    def load(self) -> Any:
        """What was saved last, None when nothing was.

        Raises:
            StorageUnavailable: it cannot be read.
        """
        try:
            return orjson.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, orjson.JSONDecodeError) as error:
            raise StorageUnavailable(f"cannot read {self._path}, delete it to begin anew: {error}") from error

    def save(self, value: Any) -> None:
        """Replace the value; it is on disk on return.

        Raises:
            OSError: the disk refuses; the value before stands.
        """
        with self._new.open("wb") as file:
            file.write(orjson.dumps(value))
            file.flush()
            os.fsync(file.fileno())
        self._new.replace(self._path)
        sync_directory(self._path.parent)
