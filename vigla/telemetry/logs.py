"""vigla's own log: one line an event, to standard error.

A line is an event name plus fields (``log.warning("flush failed", extra={"rows": 10})``); readable on a
terminal, JSON otherwise. Nothing logs once per span, log record or request: those are counted in ``metrics``.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

import orjson

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(level: str, stream: TextIO = sys.stderr) -> None:
    """Send the process's log lines to ``stream``; called once, at start.

    Args:
        level: least severe line kept: ``debug``, ``info``, ``warning`` or ``error``.
        stream: where lines go; a terminal gets readable lines, everything else JSON.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if stream.isatty() else JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "asyncio", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``event`` and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record as JSON; values that JSON has no type for are written as text."""
        line = {
            "time": _time(record).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class TextFormatter(logging.Formatter):
    """``time level event name=value ...`` for people; an exception follows on its own lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record for a terminal."""
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{_time(record):%H:%M:%S} {record.levelname.lower():<7} {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS}
