"""The Prometheus API, as the command line calls it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from vigla.client import CONNECT_TIMEOUT_S, Unreachable
from vigla.errors import QueryError

BASE = "/api/v1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API gave: ``data`` of its envelope, and what it notes about the query."""

    data: Any
    notes: tuple[str, ...]


def ask(url: str, path: str, parameters: Mapping[str, str | Sequence[str]]) -> Answer:
    """Call one endpoint.

    Args:
        url: of the query server; any Prometheus answers as well.
        path: below ``/api/v1``.
        parameters: empty ones are left out.

    Raises:
        QueryError: with the server's message.
        Unreachable: no server of Prometheus' API is there.
    """
    given = {name: value for name, value in parameters.items() if value}
    timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)  # the server has a deadline for queries
    try:
        response = httpx.get(f"{url.rstrip('/')}{BASE}{path}", params=given, timeout=timeout)
        body = response.json()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(f"{url}: {error or type(error).__name__}") from error
    except ValueError as error:
        raise Unreachable(f"{url} does not answer as Prometheus does") from error
    if not isinstance(body, dict) or body.get("status") not in {"success", "error"}:
        raise Unreachable(f"{url} does not answer as Prometheus does")
    if body["status"] == "error":
        raise QueryError(str(body.get("error", "the server gave no reason")))
    return Answer(body.get("data"), (*body.get("warnings", ()), *body.get("infos", ())))
