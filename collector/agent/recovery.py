"""Places of tailed files after a restart: those in the file of positions, and newer ones on the spool."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from collector.agent.places import Place
from vigla.bus.api import Consumer
from vigla.model.partitions import Partition
from vigla.wire.access_logs import envelope

MARK = "vigla.agent.place"
"""Resource attribute of tailed lines: the place behind them."""

TAILED = Partition("access_logs")
"""Where lines are on the spool."""
READ_BYTES = 8 * 1024 * 1024


class Saved:
    """Places that no open file has taken over yet.

    Args:
        places: each with the path that its file had, as saved.
        newer: found on the spool, in its order.
    """

    def __init__(self, places: Sequence[tuple[Path, Place]], newer: Iterable[Place]) -> None:
        self._paths = {place.file: path for path, place in places}
        self._places = {place.file: place for place in [*(place for _, place in places), *newer]}

    def place(self, file: tuple[int, int]) -> Place | None:
        """Up to where a file is done, if it is known."""
        return self._places.get(file)

    def unopened(self) -> dict[tuple[int, int], Path]:
        """Files that nobody took over, with the path that each had."""
        return dict(self._paths)

    def forget(self, files: Iterable[tuple[int, int]]) -> None:
        """These are opened, or gone."""
        for file in files:
            self._paths.pop(file, None)
            self._places.pop(file, None)


def recovered(saved: Any, spool: Consumer) -> Saved:
    """What the file of positions said, corrected by the records that came after it was written.

    Raises:
        StorageUnavailable: the spool cannot be read.
    """
    if saved is None:
        return Saved([], _marks(spool, 0))
    places = [(Path(path), Place.parse(text)) for path, text in saved["places"]]
    return Saved(places, _marks(spool, saved["end"]))


def _marks(spool: Consumer, offset: int) -> Iterator[Place]:
    while records := spool.poll("access_logs", {TAILED: offset}, max_bytes=READ_BYTES, timeout_s=0):
        for record in records:
            content_type, body = envelope.unwrap(record.payload)
            if content_type == envelope.OTLP and MARK.encode() in body:
                yield from _marks_of(ExportLogsServiceRequest.FromString(body))
        offset = records[-1].offset + 1


def _marks_of(request: ExportLogsServiceRequest) -> Iterator[Place]:
    for entry in request.resource_logs:
        for attribute in entry.resource.attributes:
            if attribute.key == MARK:
                yield Place.parse(attribute.value.string_value)
