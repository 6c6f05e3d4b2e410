"""Name and labels of a line: ``name{label="value",}``, ``{"name", label="value"}``."""

import re

from vigla.wire.exposition.page import BadPage

_NAME = re.compile(r"[ \t]*([a-zA-Z_:][a-zA-Z0-9_:]*)")
_PAIR = re.compile(
    r'[ \t]*(?:(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)|"(?P<quoted>(?:[^"\\]|\\.)*)")[ \t]*'
    r'(?:=[ \t]*"(?P<value>(?:[^"\\]|\\.)*)")?[ \t]*(?P<end>,|\})'
)
_EMPTY = re.compile(r"\{[ \t]*\}")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NORMALISED = {"le": "_bucket", "quantile": ""}


def labels_of(text: str) -> dict[str, str]:
    """Labels with ``__name__``, empty ones too: they may take a label of the target away.

    Bounds are written as floats (``le="1"`` is ``1.0``), as Prometheus 3 does.

    Raises:
        BadPage: it is none, or has a label twice.
    """
    named = _NAME.match(text)
    labels = {"__name__": named[1]} if named else {}
    at = named.end() if named else 0
    rest = text[at:].strip()
    if rest and not _EMPTY.fullmatch(rest):
        _read_pairs(rest, labels)
    name = labels.get("__name__", "")
    if not name:
        raise BadPage(f"no metric name: {text!r}")
    for label, suffix in _NORMALISED.items():
        if label in labels and name.endswith(suffix):
            labels[label] = _as_float(labels[label])
    return labels


def exemplar_of(text: str) -> tuple[dict[str, str], float, int]:
    """Labels, value and time (milliseconds; 0: none) of an exemplar: ``{trace_id="..."} 0.5 1700000000.1``.

    Raises:
        BadPage: it is none.
    """
    end = text.rfind("}") + 1
    labels: dict[str, str] = {}
    if not _EMPTY.fullmatch(text[:end]):
        _read_pairs(text[:end], labels)
    try:
        value, *time = (float(each) for each in text[end:].split())
    except ValueError as error:
        raise BadPage(f"no exemplar: {text!r}") from error
    return labels, value, round(time[0] * 1000) if time else 0


def _read_pairs(text: str, labels: dict[str, str]) -> None:
    at = 1
    while at < len(text):
        found = _PAIR.match(text, at)
        if found is None:
            if text[at:].strip() == "}" and at > 1:  # behind a trailing comma
                return
            raise BadPage(f"no labels: {text!r}")
        quoted = found["quoted"]
        key = found["label"] if quoted is None else _unescaped(quoted)
        if found["value"] is None:
            key, value = "__name__", key
            if quoted is None:
                raise BadPage(f"label without a value: {text!r}")
        else:
            value = _unescaped(found["value"])
        if key in labels:
            raise BadPage(f"label {key} is given twice: {text!r}")
        labels[key] = value
        at = found.end()


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)


def _as_float(text: str) -> str:
    """As Go's OpenMetrics writer: whole numbers get ``.0``."""
    try:
        value = float(text)
    except ValueError:
        return text
    if value in {float("inf"), float("-inf")} or value != value:  # noqa: PLR0124  NaN
        return text
    return f"{value:.1f}" if value == int(value) and abs(value) < 1e15 else repr(value)  # noqa: PLR2004
