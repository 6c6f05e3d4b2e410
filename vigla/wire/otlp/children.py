"""Events and links of spans as JSON text."""

import pyarrow as pa
import pyarrow.compute as pc

from vigla.wire.otlp import text
from vigla.wire.otlp.attributes import Attributes
from vigla.wire.otlp.buffers import have_width, ids_of, offsets_of, owners_of


def event_texts(lists: pa.ListArray) -> pa.StringArray:
    """A JSON array of each span's events, null when it has none."""
    if not _any(lists):
        return pa.nulls(len(lists), pa.string())
    events = lists.flatten()
    return _arrays(
        lists,
        text.objects(
            ts=events.field("time_unix_nano").cast(pa.string()),
            name=text.quoted(events.field("name")),
            attributes=text.object_member(Attributes(events.field("attributes")).objects()),
            dropped=text.count_member(events.field("dropped_attributes_count")),
        ),
    )


def link_texts(lists: pa.ListArray) -> pa.StringArray:
    """A JSON array of each span's links, null when it has none.

    An id that is missing reads as zeros. One of a wrong length stays as it is: for that no span is lost.
    """
    if not _any(lists):
        return pa.nulls(len(lists), pa.string())
    links = lists.flatten()
    return _arrays(
        lists,
        text.objects(
            trace_id=text.quoted(_hex_ids(links.field("trace_id"), 16)),
            span_id=text.quoted(_hex_ids(links.field("span_id"), 8)),
            trace_state=text.string_member(links.field("trace_state")),
            flags=text.count_member(links.field("flags")),
            attributes=text.object_member(Attributes(links.field("attributes")).objects()),
            dropped=text.count_member(links.field("dropped_attributes_count")),
        ),
    )


def _hex_ids(ids: pa.BinaryArray, width: int) -> pa.StringArray:
    if have_width(ids, width):
        return text.hexadecimal(ids_of(ids, width))
    return text.each_distinct(lambda raw: raw.hex() or "00" * width, ids)


def _any(lists: pa.ListArray) -> bool:
    offsets = offsets_of(lists)
    return bool(offsets[-1] > offsets[0])


def _arrays(lists: pa.ListArray, texts: pa.StringArray) -> pa.StringArray:
    owners = owners_of(lists)
    arrays = text.concat("[", text.joined(owners, texts, len(lists)), "]")
    return text.unless(pc.equal(arrays, "[]"), arrays)
