"""``/api/v1/read``: raw samples for another Prometheus, as remote read asks for them.

Source: Prometheus, "Remote read API". Native histograms go into samples only; a client that takes nothing but
chunks is told so.
"""

from collections.abc import Iterator, Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from query import bodies
from query.limits import Limits
from query.prometheus.store import MetricStore
from query.promql.ast import Matcher
from query.promql.context import EngineOptions
from query.promql.errors import ExecutionError, TooManySamples
from query.promql.histogram import filled
from query.promql.histograms.wire import to_native
from query.promql.series import Labels, SeriesBatch
from vigla import errors
from vigla.prometheus.regex import RegexError, compile_regex, utf8
from vigla.storage.api import QueryContext
from vigla.wire.remote_read import samples, stream
from vigla.wire.remote_read.chunks import chunks
from vigla.wire.remote_read.request import SAMPLES, STREAMED_XOR_CHUNKS, Query, ReadRequest, decode
from vigla.wire.remote_write.envelope import MAX_BYTES

SAMPLES_HEADERS = {"Content-Encoding": "snappy"}
_STATUS: tuple[tuple[type[errors.ViglaError], int], ...] = (  # the first that fits counts
    (errors.BadInput, 400),
    (ExecutionError, 400),
    (errors.Overloaded, 503),
    (errors.QueryCancelled, 499),
    (errors.ResultTooLarge, 400),
    (errors.ViglaError, 500),
)


def router(store: MetricStore, limits: Limits) -> APIRouter:
    """The route.

    Args:
        store: of the samples.
        limits: bounds of every query.
    """
    routes = APIRouter(include_in_schema=False)

    @routes.post("/api/v1/read")
    async def read(request: Request) -> Response:
        try:
            asked = decode(await bodies.read(request, MAX_BYTES, "the request"))
            return await limits.run(
                request,
                lambda context: _answer(asked, _selected(store, asked, context)),
                timeout_s=limits.settings.promql_timeout_s,
                max_rows=EngineOptions().max_samples,
                waits=True,
            )
        except errors.ViglaError as error:
            status = next(status for known, status in _STATUS if isinstance(error, known))
            return PlainTextResponse(f"{error}\n", status)

    return routes


def _selected(store: MetricStore, asked: ReadRequest, context: QueryContext) -> list[SeriesBatch]:
    """Of each query its series; all samples together are bounded."""
    left = EngineOptions().max_samples
    batches: list[SeriesBatch] = []
    for query in asked.queries:
        if not query.conditions:
            raise errors.QueryError("a query of remote read needs at least one matcher")
        try:
            batch = store.select(
                _matchers(query), query.start_ms, query.end_ms, max_samples=left, stop=context.stop
            )
        except TooManySamples as error:
            most = EngineOptions().max_samples
            raise errors.ResultTooLarge(
                f"exceeded sample limit ({most}): ask for fewer series or less time"
            ) from error
        left -= len(batch.times)
        batches.append(batch)
    return batches


def _matchers(query: Query) -> list[Matcher]:
    for each in query.conditions:
        if each.op in {"=~", "!~"}:
            try:
                compile_regex(each.value)
            except RegexError as error:
                raise errors.QueryError(f"matcher of {each.name!r}: {error}") from error
    return [Matcher(each.name, each.op, each.value) for each in query.conditions]


def _answer(asked: ReadRequest, batches: Sequence[SeriesBatch]) -> Response:
    """In the first form that the client takes and that fits the samples."""
    native = any(batch.histograms is not None for batch in batches)
    for form in asked.accepted:
        if form == SAMPLES:
            body = samples.response(_messages(batch) for batch in batches)
            return Response(body, headers=SAMPLES_HEADERS, media_type="application/x-protobuf")
        if form == STREAMED_XOR_CHUNKS and not native:
            return StreamingResponse(_frames(batches), media_type=stream.MEDIA_TYPE)
    if native:
        raise errors.QueryError("native histograms are read as SAMPLES: accept this type too")
    raise errors.QueryError(f"none of the accepted response types {list(asked.accepted)} is known")


def _messages(batch: SeriesBatch) -> Iterator[bytes]:
    for number, labels in enumerate(batch.labels):
        own = slice(int(batch.offsets[number]), int(batch.offsets[number + 1]))
        times, values = batch.times[own], batch.values[own]
        if batch.histograms is None:
            yield samples.series(_valid(labels), times, values)
            continue
        objects = batch.histograms[own]
        native = filled(objects)
        pairs = zip(times[native].tolist(), map(to_native, objects[native]), strict=True)
        yield samples.series(_valid(labels), times[~native], values[~native], pairs)


def _frames(batches: Sequence[SeriesBatch]) -> Iterator[bytes]:
    for query, batch in enumerate(batches):
        for number, labels in enumerate(batch.labels):
            own = slice(int(batch.offsets[number]), int(batch.offsets[number + 1]))
            yield from stream.frames(query, _valid(labels), chunks(batch.times[own], batch.values[own]))


def _valid(labels: Labels) -> Labels:
    """Bytes that are no UTF-8 are replaced, as messages have only text."""
    return tuple((utf8(name), utf8(value)) for name, value in labels)
