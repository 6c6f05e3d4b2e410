"""SQL over HTTP: ``POST /api/vigla/v1/sql`` and ``GET /api/vigla/v1/schema``."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Protocol, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from query import bodies, native_errors, sql_schema
from query.sql_formats import MEDIA_TYPES, Format, encoded
from vigla.errors import BadInput, QueryError, UnsupportedEncoding, ViglaError
from vigla.model.spans import Promoted
from vigla.settings import QuerySettings
from vigla.storage.api import QueryContext, Reader

PATH = "/api/vigla/v1"
MAX_BODY_BYTES = 1024 * 1024  # ten times the longest query: room for JSON's escapes

T = TypeVar("T")


class Limits(Protocol):
    """What this module needs of ``query.limits``: deadline, cap on queries at once, cancel on disconnect."""

    def run(
        self, request: Request, work: Callable[[QueryContext], T], *, timeout_s: float, max_rows: int
    ) -> Awaitable[T]:
        """Run blocking work in a thread.

        Raises:
            Overloaded: as many queries as allowed run already.
            QueryStopped: past the deadline, or the client went away.
        """


class SqlRequest(BaseModel):
    """The JSON body. A text body is the query alone, with the other two as parameters of the URL."""

    model_config = ConfigDict(extra="forbid")

    query: str
    timeout_s: Annotated[float, Field(gt=0)] | None = None
    max_rows: Annotated[int, Field(gt=0)] | None = None


def router(
    store: Reader, promoted: tuple[Promoted, ...], settings: QuerySettings, limits: Limits
) -> APIRouter:
    """The routes.

    Args:
        store: what is read.
        promoted: attributes with a column of their own, for the schema.
        settings: upper bounds of what a request may ask for.
        limits: runs the query within its bounds.
    """
    routes = APIRouter(prefix=PATH, tags=["sql"])

    @routes.post("/sql")
    async def sql(request: Request) -> Response:
        """Run one read-only statement.

        The answer is JSON, CSV, Arrow (stream) or Parquet, by ``?format=`` or the Accept header.
        """
        try:
            form = _format(request)
            asked = await _asked(request)
            table = await limits.run(
                request,
                lambda context: store.sql(asked.query, context),
                timeout_s=min(asked.timeout_s or settings.timeout_s, settings.timeout_s),
                max_rows=min(asked.max_rows or settings.sql_max_rows, settings.sql_max_rows),
            )
        except ViglaError as error:
            return native_errors.answer(error)
        return StreamingResponse(encoded(table, form), media_type=MEDIA_TYPES[form])

    @routes.get("/schema")
    async def schema() -> Response:
        """Tables and columns that SQL can read."""
        return JSONResponse(sql_schema.as_json(promoted))

    return routes


async def _asked(request: Request) -> SqlRequest:
    body = await bodies.read(request, MAX_BODY_BYTES, "the body")
    try:
        match request.headers.get("content-type", "application/json").partition(";")[0].strip().lower():
            case "application/json":
                return SqlRequest.model_validate_json(body)
            case "text/plain" | "application/sql":
                return SqlRequest.model_validate(_of_url(request.query_params) | {"query": body.decode()})
            case other:
                raise UnsupportedEncoding(
                    f'content type {other}: send application/json with {{"query": ".."}}, or text/plain'
                )
    except ValidationError as error:
        raise BadInput("; ".join(_explain(dict(e)) for e in error.errors())) from error
    except UnicodeDecodeError as error:
        raise BadInput("the query is not UTF-8") from error


def _of_url(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in parameters.items() if name in {"timeout_s", "max_rows"}}


def _explain(error: dict[str, object]) -> str:
    location = error["loc"]
    where = ".".join(map(str, location)) if isinstance(location, tuple) else ""
    return f"{where or 'body'}: {error['msg']}"


def _format(request: Request) -> Format:
    """``?format=`` wins; else the first type of the Accept header that we have; else JSON."""
    forms: dict[str, Format] = {form: form for form in MEDIA_TYPES}
    asked = request.query_params.get("format")
    if asked is not None:
        if asked not in forms:
            raise QueryError(f"format {asked!r}: give one of {', '.join(forms)}")
        return forms[asked]
    of_type = {media.partition(";")[0]: form for form, media in MEDIA_TYPES.items()}
    accepted = sorted(request.headers.get("accept", "").lower().split(","), key=_quality, reverse=True)
    names = (part.partition(";")[0].strip() for part in accepted)
    return next((of_type[name] for name in names if name in of_type), "json")


def _quality(part: str) -> float:
    """RFC 9110 section 12.4.2; what cannot be read counts least."""
    for parameter in part.split(";")[1:]:
        name, _, text = parameter.partition("=")
        if name.strip() == "q":
            return float(text) if text.strip().replace(".", "", 1).isdecimal() else 0.0
    return 1.0
