"""What is done about segments that cannot be read whole."""

import logging
import os
import shutil
from pathlib import Path

from vigla.bus.segment import HEADER, Damaged, Reader, Segment

log = logging.getLogger(__name__)


def record_follows(segment: Segment, position: int) -> bool:
    """Whether an intact record stands behind the one at ``position`` that is not: no crash tears that way."""
    with segment.path.open("rb") as file:
        file.seek(position)
        header = file.read(HEADER.size)
        if len(header) < HEADER.size:
            return False
        length, _, offset = HEADER.unpack(header)
        behind = file.seek(length, os.SEEK_CUR)
    return behind < segment.size and _starts_record(Segment(segment.path, offset + 1, segment.size), behind)


def _starts_record(segment: Segment, position: int) -> bool:
    reader = Reader(segment)
    reader.position = position
    try:
        return bool(reader.read(HEADER.size))
    except Damaged:
        return False
    finally:
        reader.close()


def copy_aside(segment: Segment, directory: Path, name: str) -> None:
    """Keep a copy for inspection; without room for it, what can be read goes on all the same."""
    copy = directory / name
    try:
        directory.mkdir(exist_ok=True)
        shutil.copyfile(segment.path, copy)
    except OSError as error:
        log.error("bus: no copy of %s could be kept: %s", segment.path, error)  # noqa: TRY400  no bug of ours
    else:
        log.error("bus: copy of %s kept as %s", segment.path, copy)
