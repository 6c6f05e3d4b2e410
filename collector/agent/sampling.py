"""Tells Jaeger's clients their sampling strategy, on a port of its own, at any path, as Jaeger does.

Strategies come of a file here, else of the collector; while it is away, what held before is told.
"""

import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import Protocol

import httpx
from starlette.types import Receive, Scope, Send

from collector.sampling import StrategyFile, service_asked, written
from vigla.errors import BadInput

log = logging.getLogger(__name__)

TIMEOUT_S = 2.0  # clients give up after five
REMEMBERED = 1000  # services; those not asked for go first
_JSON, _TEXT = b"application/json", b"text/plain; charset=utf-8"


class Strategies(Protocol):
    """Where strategies are known."""

    async def of(self, service: str) -> bytes:
        """The strategy of a service, as JSON."""


class FileStrategies:
    """From a file of this machine."""

    def __init__(self, file: StrategyFile) -> None:
        self._file = file

    async def of(self, service: str) -> bytes:
        """The strategy of a service, as JSON."""
        return written(self._file.of(service))


class CollectorStrategies:
    """Asked of the collector, for each question of a client, of which each has one a minute.

    Args:
        endpoint: of its OTLP over HTTP.
        headers: sent along.
    """

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        self._http = httpx.AsyncClient(base_url=endpoint, headers=dict(headers), timeout=TIMEOUT_S)
        self._before: OrderedDict[str, bytes] = OrderedDict()
        self._without = StrategyFile(None)

    async def of(self, service: str) -> bytes:
        """The strategy of a service, as JSON; the one from before when the collector does not answer."""
        try:
            response = await self._http.get("/sampling", params={"service": service})
            response.raise_for_status()
        except httpx.HTTPError as error:
            log.debug("no sampling strategy of the collector: %s", error)
            return self._before.get(service) or written(self._without.of(service))
        self._before[service] = response.content
        self._before.move_to_end(service)
        if len(self._before) > REMEMBERED:
            self._before.popitem(last=False)
        return response.content

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class SamplingApp:
    """ASGI application: ``GET`` of any path with ``?service=``."""

    def __init__(self, strategies: Strategies) -> None:
        self._strategies = strategies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        """Answer one request."""
        if scope["type"] != "http":
            return
        if scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, _TEXT, b"only GET is allowed\n")
            return
        try:
            body = await self._strategies.of(service_asked(scope["query_string"]))
        except BadInput as error:
            await _answer(send, 400, _TEXT, f"{error}\n".encode())
        else:
            await _answer(send, 200, _JSON, body)


async def _answer(send: Send, status: int, media: bytes, body: bytes) -> None:
    headers = [(b"content-type", media), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
