"""How our own API says what went wrong.

The body is ``{"error":{"code":..,"message":..}}``; the code is the name of the class in ``vigla.errors``, so
that ``vigla.client`` raises the same error that the server did.
"""

import math

from fastapi.responses import JSONResponse

from vigla import errors

_STATUS: tuple[tuple[type[errors.ViglaError], int], ...] = (  # the first that fits counts
    (errors.PayloadTooLarge, 413),
    (errors.UnsupportedEncoding, 415),
    (errors.BadInput, 400),
    (errors.NotFound, 404),
    (errors.Overloaded, 429),
    (errors.DeadlineExceeded, 504),
    (errors.QueryCancelled, 499),  # nginx's "client closed request": nobody reads it but the access log
    (errors.ResultTooLarge, 413),
    (errors.StorageUnavailable, 503),
    (errors.ViglaError, 500),
)


def status_of(error: errors.ViglaError) -> int:
    """The HTTP status of an error."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def answer(error: errors.ViglaError) -> JSONResponse:
    """The response for an error; ``Overloaded`` carries its delay as ``Retry-After`` in whole seconds."""
    headers = {}
    if isinstance(error, errors.Overloaded):
        headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    body = {"error": {"code": type(error).__name__, "message": str(error)}}
    return JSONResponse(body, status_of(error), headers)
