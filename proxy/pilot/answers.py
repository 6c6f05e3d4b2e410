"""Answers of the mesh's HTTP API."""

import orjson
from fastapi import Response

FORBIDDEN, UNPROCESSABLE, NOT_FOUND, TOO_LARGE = 403, 422, 404, 413


def answered(body: object, status: int = 200) -> Response:
    """A JSON value."""
    return Response(orjson.dumps(body), status, media_type="application/json")


def failed(status: int, code: str, message: str) -> Response:
    """An error, with what to mend."""
    return answered({"error": {"code": code, "message": message}}, status)
