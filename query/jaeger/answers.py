"""How Jaeger's query service answers: JSON bodies, and Go's ``http.Error`` for failures."""

import json
import secrets
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import Request, Response

from query import native_errors
from vigla import errors

FALSE_PRETTY = ("", "false")
NOSNIFF = {"X-Content-Type-Options": "nosniff"}
GO_ERROR_TYPE = "text/plain; charset=utf-8"


def ok(request: Request, body: Any) -> Response:
    """A success; ``prettyPrint`` indents it by four."""
    pretty = request.query_params.get("prettyPrint", "") not in FALSE_PRETTY
    content = json.dumps(body, indent=4, ensure_ascii=False).encode() if pretty else orjson.dumps(body)
    return Response(content, media_type="application/json", headers=_traced())


def envelope(
    data: Any, *, total: int = 0, problems: Sequence[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """v1's structured response."""
    return {
        "data": data,
        "total": total,
        "limit": 0,
        "offset": 0,
        "errors": list(problems) if problems else None,
    }


def failed_v1(error: errors.ViglaError) -> Response:
    """v1's error: an envelope with one error."""
    code = native_errors.status_of(error)
    body = {**envelope(None), "errors": [{"code": code, "msg": str(error)}]}
    return _go_error(code, body, error)


def failed_v3(error: errors.ViglaError) -> Response:
    """v3's error."""
    code = native_errors.status_of(error)
    return _go_error(code, {"error": {"httpCode": code, "message": str(error)}}, error)


def _go_error(code: int, body: Any, error: errors.ViglaError) -> Response:
    headers = {**NOSNIFF, **_traced()}
    if isinstance(error, errors.Overloaded):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return Response(orjson.dumps(body) + b"\n", code, headers, GO_ERROR_TYPE)


def _traced() -> dict[str, str]:
    """Jaeger names the trace of its own request in each answer; ours is not sampled."""
    return {"traceresponse": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"}
