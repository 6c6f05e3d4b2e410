"""Own log lines: JSON for machines, readable text on a terminal."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from vigla.telemetry import logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored_root_logger() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before


def test_json_line_has_event_and_fields() -> None:
    stream = io.StringIO()
    logs.configure("info", stream)
    logging.getLogger("vigla.test").warning("flush failed", extra={"rows": 10, "path": io})
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning", "logger": "vigla.test", "event": "flush failed", "rows": 10, "path": repr(io),
    }  # fmt: skip


def test_json_line_holds_the_exception() -> None:
    stream = io.StringIO()
    logs.configure("info", stream)
    try:
        int("torn")
    except ValueError:
        logging.getLogger("vigla.test").exception("flush failed")
    assert "ValueError: invalid literal" in json.loads(stream.getvalue())["exception"]


def test_terminal_gets_text() -> None:
    stream = Terminal()
    logs.configure("info", stream)
    logging.getLogger("vigla.test").info("ready", extra={"port": 1})
    assert stream.getvalue().endswith("info    ready port=1\n")


def test_less_severe_lines_are_dropped() -> None:
    stream = io.StringIO()
    logs.configure("error", stream)
    logging.getLogger("vigla.test").warning("unimportant")
    assert not stream.getvalue()
