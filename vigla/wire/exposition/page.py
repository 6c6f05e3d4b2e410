"""A page of metrics as columns: one regular expression over all lines at once.

Source: Prometheus, "Exposition formats", text format 0.0.4 and 1.0.0; OpenMetrics 1.0.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vigla.errors import BadInput
from vigla.wire.remote_write.descriptors import METRIC_TYPES, MetricType
from vigla.wire.remote_write.encode import Metadata

Format = Literal["text", "openmetrics"]

_LABELS = r'\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}'
_LINE = (
    rf"^[ \t]*(?P<series>(?:[a-zA-Z_:][a-zA-Z0-9_:]*[ \t]*)?{_LABELS}|[a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]*)"
    r"(?P<value>[^ \t#]+)(?:[ \t]+(?P<time>[-+0-9.eE]+))?(?:[ \t]+#[ \t]*(?P<exemplar>\{.*))?[ \t]*$"
)
_BARE = r"^[ \t]*(?:[a-zA-Z_:][a-zA-Z0-9_:]*[ \t]|[a-zA-Z_:][a-zA-Z0-9_:]*\{|\{)"
_NUMBER = r"(?i)^[-+]?(?:[0-9]+\.?[0-9]*(?:e[-+]?[0-9]+)?|\.[0-9]+|inf|nan)$"
_BLANK = r"^[ \t\r]*$"
_TYPES: dict[str, MetricType] = {each: each for each in METRIC_TYPES} | {"untyped": "unknown"}
_SHOWN = 200  # characters of a line in a message
NEWLINE = 0x0A


class BadPage(BadInput):
    """The page cannot be read; the message has the line."""


@dataclass(frozen=True, slots=True)
class Page:
    """N samples in the order of their lines.

    Attributes:
        series: large_string [N], name and labels as written.
        values: float64 [N].
        times: int64 [N], milliseconds; 0 where the line has none.
        exemplars: large_string [N], what stands behind ``#``; empty: none.
        comments: the lines that begin with ``#``, as they are.
    """

    series: pa.Array
    values: npt.NDArray[np.float64]
    times: npt.NDArray[np.int64]
    exemplars: pa.Array
    comments: tuple[str, ...]


def read(body: bytes, form: Format) -> Page:
    """The samples of a page.

    Raises:
        BadPage: a line is no sample, or OpenMetrics does not end with ``# EOF``.
    """
    lines = _lines(body)
    comment = pc.match_substring_regex(lines, "^[ \t]*#")
    comments = tuple(lines.filter(comment).to_pylist())
    if form == "openmetrics" and (not comments or comments[-1].split() != ["#", "EOF"]):
        raise BadPage("data does not end with # EOF")
    lines = lines.filter(pc.invert(pc.or_(comment, pc.match_substring_regex(lines, _BLANK))))
    found = pc.extract_regex(lines, _LINE)
    fits = pc.and_(pc.is_valid(found), pc.match_substring_regex(lines, _BARE))
    _check(lines, fits, "no sample")
    values, times = found.field("value"), found.field("time")
    return Page(
        found.field("series"),
        _numbers(lines, values),
        _times(lines, times, form),
        found.field("exemplar"),
        comments,
    )


def metadata(comments: tuple[str, ...]) -> list[Metadata]:
    """Type, help and unit of each family; what is unknown or malformed is left out."""
    told: dict[str, dict[str, str]] = {}
    for comment in comments:
        parts = comment.strip().split(None, 3)
        if len(parts) >= 3 and parts[1] in {"HELP", "TYPE", "UNIT"}:  # noqa: PLR2004  sign, word, name
            name = parts[2].strip('"')
            told.setdefault(name, {})[parts[1]] = parts[3] if len(parts) > 3 else ""  # noqa: PLR2004
    return [
        Metadata(
            name,
            _TYPES.get(each.get("TYPE", ""), "unknown"),
            each.get("HELP", "").replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\"),
            each.get("UNIT", ""),
        )
        for name, each in told.items()
    ]


def _lines(body: bytes) -> pa.Array:
    """The lines without their ends; Arrow's own splitting of one long text takes seconds."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise BadPage(f"the page is no UTF-8 at byte {error.start}") from error
    if body and not body.endswith(b"\n"):
        body += b"\n"
    ends = np.flatnonzero(np.frombuffer(body, np.uint8) == NEWLINE).astype(np.int64)
    offsets = np.concatenate((np.zeros(1, np.int64), ends + 1))
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(body)]
    whole = pa.Array.from_buffers(pa.large_string(), len(ends), buffers)
    return pc.utf8_rtrim(whole, "\n\r")


def _check(lines: pa.Array, fits: pa.Array, what: str) -> None:
    good = pc.fill_null(fits, False)
    if not pc.all(good).as_py() and len(lines):
        line = lines.filter(pc.invert(good))[0].as_py()
        raise BadPage(f"{what}: {line[:_SHOWN]!r}")


def _numbers(lines: pa.Array, texts: pa.Array) -> npt.NDArray[np.float64]:
    try:
        values = pc.utf8_ltrim(texts, "+").cast(pa.float64())
    except pa.ArrowInvalid:
        _check(lines, pc.match_substring_regex(texts, _NUMBER), "no value")
        values = pa.array([float(text) for text in texts.to_pylist()], pa.float64())
    return np.asarray(values.to_numpy(zero_copy_only=False), np.float64)


def _times(lines: pa.Array, texts: pa.Array, form: Format) -> npt.NDArray[np.int64]:
    empty = pc.equal(texts, "")
    if pc.all(empty).as_py():
        return np.zeros(len(texts), np.int64)
    given = pc.if_else(empty, "0", texts)
    try:
        numbers = given.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise BadPage(f"no timestamp: {error}") from error
    scale = 1000 if form == "openmetrics" else 1
    _check(lines, pa.array(np.abs(numbers) < 2**53 / scale), "no timestamp")
    times: npt.NDArray[np.int64] = np.round(numbers * scale).astype(np.int64)
    return times
