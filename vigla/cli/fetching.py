"""Reads traces from a query server's Jaeger APIs, one at a time."""

import datetime as dt
import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

from vigla.errors import NotFound, SettingsError, ViglaError
from vigla.wire.otlp.from_json import from_json

TIMEOUT_S = 60.0
_AGE = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Format(enum.StrEnum):
    """How traces are written."""

    JAEGER = "jaeger"
    OTLP_JSON = "otlp-json"
    OTLP_PROTO = "otlp-proto"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which traces: of a service or of all, that started in a time range; ``limit`` of each service."""

    service: str | None
    start: dt.datetime
    end: dt.datetime
    limit: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes to write, and the traces that end in them."""

    content: bytes
    traces: int


def instant(text: str) -> dt.datetime:
    """ISO 8601 (UTC unless it says otherwise), or an age before now.

    Raises:
        SettingsError: neither.
    """
    if age := _AGE.fullmatch(text):
        seconds = float(age[1]) * _SECONDS[age[2]]
        return dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds)
    try:
        parsed = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is neither ISO 8601 nor an age as 30m, 2h or 7d") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)


class Fetcher:
    """A query server, as far as exporting needs it."""

    def __init__(self, url: str) -> None:
        try:
            self._http = httpx.Client(base_url=url, timeout=TIMEOUT_S)
        except httpx.InvalidURL as error:
            raise SettingsError(f"{url}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def find(self, selection: Selection) -> list[str]:
        """Ids of the selected traces, each once."""
        services = [selection.service] if selection.service else self._json("/api/services")["data"]
        found: dict[str, None] = {}
        for service in services:
            found.update(dict.fromkeys(self._find(service, selection)))
        return list(found)

    def fetch(self, trace_ids: Sequence[str], form: Format) -> Iterator[Chunk]:
        """The traces as stored, in one of the formats.

        Raises:
            NotFound: a trace is not there (any more).
            ViglaError: the server cannot be reached or answers with an error.
        """
        if form is Format.JAEGER:
            yield from self._jaeger(trace_ids)
            return
        for trace_id in trace_ids:
            answer = self._json(f"/api/v3/traces/{trace_id}", {"rawTraces": "true"})
            document = orjson.dumps(answer["result"])
            # Protobuf messages written one after the other are one message of all their members.
            content = document + b"\n" if form is Format.OTLP_JSON else from_json("traces", document)
            yield Chunk(content, 1)

    def _jaeger(self, trace_ids: Sequence[str]) -> Iterator[Chunk]:
        before = b'{"data":['
        for trace_id in trace_ids:
            (trace,) = self._json(f"/api/traces/{trace_id}", {"raw": "true"})["data"]
            yield Chunk(before + orjson.dumps(trace), 1)
            before = b","
        yield Chunk(b"]}\n" if trace_ids else before + b"]}\n", 0)

    def _find(self, service: str, selection: Selection) -> Iterator[str]:
        parameters = {
            "query.serviceName": service,
            "query.startTimeMin": selection.start.isoformat(),
            "query.startTimeMax": selection.end.isoformat(),
            "query.searchDepth": str(selection.limit),
        }
        try:
            answer = self._json("/api/v3/trace-summaries", parameters)
        except NotFound:  # Jaeger's answer when nothing matches
            return iter(())
        return (summary["traceId"] for summary in answer["summaries"])

    def _json(self, path: str, parameters: dict[str, str] | None = None) -> Any:
        try:
            response = self._http.get(path, params=parameters)
        except httpx.HTTPError as error:
            raise ViglaError(f"{self._http.base_url}: {error or type(error).__name__}") from error
        if response.is_success:
            return orjson.loads(response.content)
        kind = NotFound if response.status_code == httpx.codes.NOT_FOUND else ViglaError
        raise kind(f"{response.url} answers {response.status_code}: {response.text.strip()[:300]}")
