"""OTLP trace payloads to the columns of ``vigla.model.spans``, without a Python loop over spans.

Source: ``opentelemetry/proto/trace/v1/trace.proto``; the write sanitizers are those of Jaeger's
``internal/jptrace/sanitizer``.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vigla.errors import BadInput
from vigla.model.spans import DICTIONARY, Promoted, span_schema
from vigla.wire.otlp import descriptors, text
from vigla.wire.otlp.attributes import Attributes
from vigla.wire.otlp.buffers import ids_of, owners_of, signed_ids
from vigla.wire.otlp.children import event_texts, link_texts
from vigla.wire.otlp.origins import Resources, scope_texts

MAX_NS = 2**63 - 2
"""Latest time kept, in the year 2262: later ones are moved here. One below the largest integer, which DuckDB
reads as infinity."""

_REQUESTS = descriptors.handler(descriptors.raw_attributes, descriptors.TRACES_REQUEST)
_CHUNK_BYTES = 64 * 1024 * 1024  # escapes make text up to six times longer, and a column holds 2 GiB


class SpanDecoder:
    """Decodes trace payloads. Has no state but its promoted attributes, so any thread may call it.

    Worth calling with 5,000 to 20,000 spans at once, as a call has fixed costs of two milliseconds and more.
    ptars holds the interpreter's lock while it parses, which makes an event loop 10 ms late for 20,000 spans.

    Args:
        promoted: attributes that become columns of their own.
    """

    def __init__(self, promoted: tuple[Promoted, ...]) -> None:
        self._promoted = promoted
        self._schema = span_schema(promoted)

    def decode(self, payloads: Sequence[bytes]) -> pa.Table:
        """Decode serialised ``ExportTraceServiceRequest`` messages that ``admit`` let pass.

        Returns:
            One row per span in the order sent, with schema ``span_schema(promoted)``.

        Raises:
            BadInput: a payload does not parse or an id has a wrong length; none of the payloads is decoded.
        """
        batches = [self._decode(chunk) for chunk in chunks(payloads)]
        table = pa.Table.from_batches([batch for batch in batches if len(batch)], self._schema)
        return table.unify_dictionaries()

    def _decode(self, payloads: list[bytes]) -> pa.RecordBatch:
        try:
            requests = _REQUESTS.list_to_record_batch(payloads)
        except ValueError as error:
            raise BadInput(f"payload is no ExportTraceServiceRequest: {error}") from error
        resource_spans = requests.column(0).flatten()
        scope_lists = resource_spans.field("scope_spans")
        scope_spans = scope_lists.flatten()
        span_lists = scope_spans.field("spans")
        spans = span_lists.flatten()
        scope_of_span = owners_of(span_lists)
        resource_of_scope = owners_of(scope_lists)
        resource_of_span = resource_of_scope[scope_of_span]
        resources = Resources(resource_spans)
        columns = _span_columns(spans) | {
            "service": _expand(resources.services, resource_of_span),
            "resource": _expand(resources.texts, resource_of_span),
            "scope": _expand(scope_texts(scope_spans, resource_spans, resource_of_scope), scope_of_span),
        }
        attributes = Attributes(spans.field("attributes"))
        for promoted in self._promoted:
            columns[promoted.column] = attributes.pop(promoted)
        columns["attrs"] = attributes.objects()
        return pa.RecordBatch.from_arrays([columns[name] for name in self._schema.names], schema=self._schema)


def chunks(payloads: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Payloads in groups small enough to be decoded together."""
    chunk: list[bytes] = []
    size = 0
    for payload in payloads:
        if chunk and size + len(payload) > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(payload)
        size += len(payload)
    if chunk:
        yield chunk


def _span_columns(spans: pa.StructArray) -> dict[str, pa.Array]:
    starts, durations = _times(spans)
    code, message = _status(spans.field("status"))
    return {
        "trace_id": text.hexadecimal(ids_of(spans.field("trace_id"), 16)),
        "span_id": signed_ids(spans.field("span_id")),
        "parent_id": signed_ids(spans.field("parent_span_id")),
        "ts": starts,
        "dur": durations,
        "name": _names(spans.field("name")),
        "kind": _small_enum(spans.field("kind"), 5),
        "status_code": code,
        "status_message": message,
        "trace_state": spans.field("trace_state").dictionary_encode(),
        "flags": pa.array(spans.field("flags").to_numpy().view(np.int32)),
        "events": event_texts(spans.field("events")),
        "links": link_texts(spans.field("links")),
        "dropped": _dropped(spans),
    }


def _times(spans: pa.StructArray) -> tuple[pa.Array, pa.Array]:
    """Start and duration; a span that ends before it starts lasts 1 ns. Start + duration never overflows."""
    start = np.minimum(spans.field("start_time_unix_nano").to_numpy(), MAX_NS - 1).astype(np.int64)
    end = np.minimum(spans.field("end_time_unix_nano").to_numpy(), MAX_NS).astype(np.int64)
    duration = np.where(end < start, 1, end - start)
    return pa.array(start).cast(pa.timestamp("ns")), pa.array(duration)


def _names(names: pa.StringArray) -> pa.DictionaryArray:
    encoded = names.dictionary_encode()
    sanitized = pc.if_else(pc.equal(encoded.dictionary, ""), "empty-span-name", encoded.dictionary)
    return pa.DictionaryArray.from_arrays(encoded.indices, sanitized)


def _small_enum(values: pa.Int32Array, highest: int) -> pa.Int8Array:
    """Numbers of a later version of the protocol read as 0, unspecified."""
    numbers = values.to_numpy()
    known = (numbers >= 0) & (numbers <= highest)
    return pa.array(np.where(known, numbers, 0).astype(np.int8))


def _status(status: pa.StructArray) -> tuple[pa.Array, pa.Array]:
    return _small_enum(status.field("code"), 2), status.field("message").dictionary_encode()


def _dropped(spans: pa.StructArray) -> pa.StringArray:
    counts = {name: spans.field(f"dropped_{name}_count") for name in ("attributes", "events", "links")}
    if not any(column.to_numpy().any() for column in counts.values()):
        return pa.nulls(len(spans), pa.string())
    members = {name: text.count_member(column) for name, column in counts.items()}
    return text.object_member(text.objects(**members))


def _expand(entries: pa.StringArray, rows: npt.NDArray[np.int64]) -> pa.DictionaryArray:
    """Value of the entry that each row belongs to."""
    encoded = entries.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(rows)), encoded.dictionary).cast(
        DICTIONARY
    )
