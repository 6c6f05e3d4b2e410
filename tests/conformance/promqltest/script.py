"""A promqltest file as commands: what to load and what to evaluate, with its expectations."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from query.promql.notation import Row, read_number, read_row
from query.promql.strings import read_string
from vigla.prometheus.durations import parse_duration

_LOAD = re.compile(r"load(_with_nhcb)?\s+(\S+)", re.IGNORECASE)
_INSTANT = re.compile(r"eval(?:_(fail|warn|ordered|info))?\s+instant(?:\s+at\s+(\S+))?\s+(.+)", re.IGNORECASE)
_RANGE = re.compile(
    r"eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)", re.IGNORECASE
)
_EXPECT = re.compile(r"expect\s+(fail|ordered|warn|info|no_warn|no_info)(?:\s+(msg|regex):\s*(.*))?")
_RANGE_VECTOR = re.compile(r"expect\s+range\s+vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)")
_STRING = re.compile(r"expect\s+string\s+(.+)")
_OLD_FAILURE = re.compile(r"expected_fail_(message|regexp)\s+(.+)")


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """Rows to add to the series; position ``k`` of a row is at ``k * interval_ms``."""

    interval_ms: int
    rows: tuple[Row, ...]
    with_nhcb: bool


@dataclass(frozen=True, slots=True)
class Message:
    """An expected message; with neither text nor pattern any will do."""

    text: str | None = None
    pattern: str | None = None

    def fits(self, message: str) -> bool:
        """Whether this message is meant."""
        if self.text is not None:
            return self.text == message
        return self.pattern is None or re.search(self.pattern, message) is not None


@dataclass(slots=True)
class Expected:
    """What an evaluation must give."""

    fail: Message | None = None
    ordered: bool = False
    messages: dict[Literal["warn", "info"], list[Message]] = field(default_factory=dict)
    string: str | None = None
    scalar: float | None = None
    series: list[Row] = field(default_factory=list)
    range_vector: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Eval:
    """One evaluation over what the loads before it left; times in milliseconds.

    Attributes:
        step: None for an instant query, which is at ``end``.
    """

    file: str
    line: int
    text: str
    start: int
    end: int
    step: int | None
    expected: Expected
    loads: tuple[Load, ...]

    @property
    def name(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"


def read_script(path: Path) -> Iterator[Eval]:
    """All evaluations of a file."""
    loads: list[Load] = []
    for number, block in _blocks(path.read_text(encoding="utf-8").splitlines()):
        command = block[0].split()[0].lower()
        if command == "clear":
            loads = []
        elif command.startswith("load"):
            loads.append(_load(block))
        elif command.startswith("eval"):
            yield _eval(path.stem, number, block, tuple(loads))
        else:
            raise ValueError(f"{path.name}:{number}: no command: {block[0]}")


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Commands with the number of their first line; an empty line or a comment ends one."""
    block: list[str] = []
    for number, raw in enumerate([*lines, ""], 1):
        line = raw.strip()
        if line and not line.startswith("#"):
            block.append(line)
            if line.lower() != "clear":
                continue
        if block:
            yield number - len(block) + (line.lower() == "clear"), block
        block = []


def _load(block: Sequence[str]) -> Load:
    head = _LOAD.fullmatch(block[0])
    if head is None:
        raise ValueError(f"no load: {block[0]}")
    return Load(parse_duration(head[2]), tuple(map(read_row, block[1:])), with_nhcb=head[1] is not None)


def _eval(file: str, number: int, block: Sequence[str], loads: tuple[Load, ...]) -> Eval:
    range_, instant = _RANGE.fullmatch(block[0]), _INSTANT.fullmatch(block[0])
    if range_:
        mode, text = range_[1], range_[5]
        start, end, step = _time(range_[2]), _time(range_[3]), _time(range_[4])
    elif instant:
        mode, text, step = instant[1], instant[3], None
        start = end = _time(instant[2] or "0")
    else:
        raise ValueError(f"no evaluation: {block[0]}")
    expected = _expected(mode and mode.lower(), block[1:])
    if expected.range_vector is not None:
        end = expected.range_vector[1]
    return Eval(file, number, text, start, end, step, expected, loads)


def _expected(mode: str | None, lines: Sequence[str]) -> Expected:
    expected = Expected(ordered=mode == "ordered", fail=Message() if mode == "fail" else None)
    if mode == "warn":
        expected.messages["warn"] = [Message()]
    elif mode == "info":
        expected.messages["info"] = [Message()]
    for line in lines:
        number = read_number(line)
        if number is not None:
            expected.scalar = number
            break
        _expect(expected, line)
    return expected


def _expect(expected: Expected, line: str) -> None:
    if found := _EXPECT.fullmatch(line):
        text, pattern = (found[3] if found[2] == kind else None for kind in ("msg", "regex"))
        _expect_kind(expected, found[1], Message(text, pattern))
    elif found := _RANGE_VECTOR.fullmatch(line):
        expected.range_vector = (_time(found[1]), _time(found[2]), _time(found[3]))
    elif found := _STRING.fullmatch(line):
        expected.string = read_string(found[1], 0)[0]
    elif found := _OLD_FAILURE.fullmatch(line):
        expected.fail = Message(text=found[2]) if found[1] == "message" else Message(pattern=found[2])
    else:
        expected.series.append(read_row(line))


def _expect_kind(expected: Expected, kind: str, message: Message) -> None:
    match kind:
        case "fail":
            expected.fail = message
        case "ordered":
            expected.ordered = True
        case "warn" | "info":
            expected.messages.setdefault(kind, []).append(message)
        case "no_warn":
            expected.messages["warn"] = []
        case "no_info":
            expected.messages["info"] = []


def _time(text: str) -> int:
    """Milliseconds of ``5m``, ``-5m`` or a number of seconds."""
    seconds = read_number(text)
    if seconds is not None:
        return round(seconds * 1000)
    return -parse_duration(text[1:]) if text.startswith("-") else parse_duration(text)
