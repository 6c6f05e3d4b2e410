"""Prometheus' envelope: ``{"status", "data", "warnings", "infos"}``, and its errors."""

from collections.abc import Sequence

import orjson
from fastapi import Response

from query.promql.errors import ExecutionError
from vigla import errors

MAX_NOTES = 10
_TYPES: tuple[tuple[type[errors.ViglaError], str, int], ...] = (  # the first that fits counts
    (ExecutionError, "execution", 422),
    (errors.BadInput, "bad_data", 400),
    (errors.NotFound, "not_found", 404),
    (errors.Overloaded, "timeout", 503),  # Prometheus lets it wait until its timeout, and says this then
    (errors.DeadlineExceeded, "timeout", 503),
    (errors.QueryCancelled, "canceled", 499),
    (errors.ResultTooLarge, "execution", 422),
    (errors.ViglaError, "internal", 500),
)


def ok(data: bytes, warnings: Sequence[str] = (), infos: Sequence[str] = ()) -> Response:
    """A success; ``data`` is JSON."""
    content = b'{"status":"success","data":' + data
    for kind, notes in (("warnings", warnings), ("infos", infos)):
        if notes:
            content += f',"{kind}":'.encode() + orjson.dumps(_capped(notes, kind))
    return Response(content + b"}", media_type="application/json")


def json(value: object) -> Response:
    """A success with this value."""
    return ok(orjson.dumps(value))


def limited(values: Sequence[object], limit: int) -> Response:
    """A success with at most ``limit`` values (0: all)."""
    if limit and len(values) > limit:
        return ok(orjson.dumps(values[:limit]), ["results truncated due to limit"])
    return json(values)


def failed(error: errors.ViglaError) -> Response:
    """The answer for an error."""
    kind, status = next((kind, status) for known, kind, status in _TYPES if isinstance(error, known))
    headers = {}
    if isinstance(error, errors.Overloaded):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    body = {"status": "error", "errorType": kind, "error": str(error)}
    return Response(orjson.dumps(body), status, headers, "application/json")


def _capped(notes: Sequence[str], kind: str) -> list[str]:
    rest = len(notes) - MAX_NOTES
    word = "warning" if kind == "warnings" else "info"
    more = [f"{rest} more {word} annotations omitted"] if rest > 0 else []
    return [*notes[:MAX_NOTES], *more]
