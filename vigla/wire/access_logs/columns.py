"""Columns of Envoy's own types as columns of ours."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigla.wire.access_logs.opaque import filter_state_member
from vigla.wire.otlp import text
from vigla.wire.otlp.buffers import owners_of
from vigla.wire.otlp.spans import MAX_NS as _MAX_NS

MAX_NS = _MAX_NS - 1
_MAX_COUNT = np.uint64(2**63 - 1)


def nanoseconds(durations: pa.Array) -> pa.Int64Array:
    """Durations as numbers; null where there is none."""
    return durations.cast(pa.int64())


def counts(values: pa.UInt64Array) -> pa.Int64Array:
    """Unsigned counts as signed ones, the largest cut off."""
    return pa.array(np.minimum(values.to_numpy(), _MAX_COUNT).astype(np.int64))


def named(names: Mapping[int, str], numbers: pa.Array) -> pa.StringArray:
    """Names of numbers; null where there is no name."""
    return distinct_texts(names.get, numbers)


def distinct_texts(function: Callable[[Any], str | None], values: pa.Array) -> pa.StringArray:
    """Apply a function to each distinct value; null where the value or the result is."""
    encoded = values.dictionary_encode()
    texts = pa.array([function(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return texts.take(encoded.indices)


def distinct_lists(function: Callable[[Any], list[str]], values: pa.Array) -> pa.ListArray:
    """As ``distinct_texts``, for lists of texts."""
    encoded = values.dictionary_encode()
    lists = [function(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(lists, pa.list_(pa.string())).take(encoded.indices)


def address(addresses: pa.StructArray) -> pa.StringArray:
    """``address:port``, IPv6 in brackets, the path of a pipe or ``envoy://`` with an internal listener."""
    socket, pipe, internal = (
        addresses.field(name) for name in ("socket_address", "pipe", "envoy_internal_address")
    )
    host = socket.field("address")
    bracketed = pc.if_else(pc.match_substring(host, ":"), text.concat("[", host, "]"), host)
    written = text.concat(bracketed, ":", socket.field("port_value").cast(pa.string()))
    listener = text.nonempty(internal.field("server_listener_name"))
    named_listener = text.concat("envoy://", listener, "/", internal.field("endpoint_id"))
    return pc.coalesce(
        text.unless(pc.equal(host, ""), written), text.nonempty(pipe.field("path")), named_listener
    )


def filter_states(lists: pa.ListArray) -> pa.StringArray:
    """A JSON object of each row's encoded entries, null when it has none."""
    entries = lists.flatten()
    if not len(entries):
        return pa.nulls(len(lists), pa.string())
    members = text.each_distinct(filter_state_member, entries)
    return text.object_member(text.concat("{", text.joined(owners_of(lists), members, len(lists)), "}"))
