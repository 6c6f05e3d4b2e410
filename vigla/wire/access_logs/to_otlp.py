"""Access logs in columns of text as an OTLP request of logs, as Envoy's own OTLP access logger sends them.

Fields of equal length have equal bytes in front of them, so requests are put together column by column.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigla.wire.access_logs.lines import Parsed
from vigla.wire.access_logs.otlp import LOG_NAME
from vigla.wire.access_logs.parties import valid_trace_ids
from vigla.wire.fields import delimited, varint
from vigla.wire.otlp.buffers import values_of

TRACE_ID = "trace_id"

_RESOURCE_LOGS, _RESOURCE, _SCOPE_LOGS, _RECORDS = 1, 1, 2, 2
_RESOURCE_ATTRIBUTES, _RECORD_ATTRIBUTES, _RECORD_TRACE_ID = 1, 6, 9
_KEY, _VALUE, _STRING = 1, 2, 1
_TIME_TAG = b"\x09"  # field 1, eight bytes
_TIME_BYTES = 8
_DELIMITED = 2


def request(logs: Parsed, resource: Mapping[str, str], shared: Mapping[str, str]) -> bytes:
    """A serialised ``ExportLogsServiceRequest``.

    Args:
        logs: a record is made of each.
        resource: attributes of the resource, besides its ``log_name``.
        shared: attributes that every record gets.
    """
    attributes = {"log_name": LOG_NAME, **resource}
    described = b"".join(delimited(_RESOURCE_ATTRIBUTES, _attribute(*pair)) for pair in attributes.items())
    records = values_of(_framed(_RECORDS, _records(logs, shared))).tobytes()
    return delimited(_RESOURCE_LOGS, delimited(_RESOURCE, described) + delimited(_SCOPE_LOGS, records))


def _records(logs: Parsed, shared: Mapping[str, str]) -> pa.BinaryArray:
    columns = dict(logs.columns)
    trace_ids = columns.pop(TRACE_ID, None)
    parts = [pa.scalar(_TIME_TAG), _fixed(logs.starts)]
    parts += [_attributes(name, values) for name, values in columns.items()]
    parts += [pa.scalar(delimited(_RECORD_ATTRIBUTES, _attribute(*pair))) for pair in shared.items()]
    if trace_ids is not None:
        parts.append(_trace_ids(valid_trace_ids(pc.utf8_lower(trace_ids))))
    return _concat(*parts)


def _trace_ids(hexadecimal: pa.StringArray) -> pa.BinaryArray:
    encoded = hexadecimal.fill_null("").dictionary_encode()
    ids = pa.array(map(bytes.fromhex, encoded.dictionary.to_pylist()), pa.binary()).take(encoded.indices)
    return _optional(_framed(_RECORD_TRACE_ID, ids), pc.equal(ids, b""))


def _fixed(numbers: pa.Int64Array) -> pa.BinaryArray:
    data = pa.py_buffer(np.maximum(numbers.to_numpy(), 0).astype("<u8").tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(_TIME_BYTES), len(numbers), [None, data]).cast(
        pa.binary()
    )


def _attribute(key: str, value: str) -> bytes:
    raw = value.encode()
    return _before_value(key.encode(), len(raw)) + raw


def _attributes(key: str, values: pa.StringArray) -> pa.BinaryArray:
    """The attribute of each record, no bytes where it has none."""
    name = key.encode()

    def before(length: int) -> bytes:
        head = _before_value(name, length)
        return varint(_RECORD_ATTRIBUTES << 3 | _DELIMITED) + varint(len(head) + length) + head

    return _optional(_prefixed(before, values.fill_null("").cast(pa.binary())), values.is_null())


def _before_value(name: bytes, length: int) -> bytes:
    """Of a ``KeyValue`` with text, all that comes before the text."""
    string = varint(_STRING << 3 | _DELIMITED) + varint(length)
    return delimited(_KEY, name) + varint(_VALUE << 3 | _DELIMITED) + varint(len(string) + length) + string


def _framed(number: int, contents: pa.BinaryArray) -> pa.BinaryArray:
    """Field ``number`` of each."""
    return _prefixed(lambda length: varint(number << 3 | _DELIMITED) + varint(length), contents)


def _prefixed(before: Callable[[int], bytes], contents: pa.BinaryArray) -> pa.BinaryArray:
    """Each with the bytes that go before one of its length."""
    lengths, places = np.unique(pc.binary_length(contents).to_numpy(), return_inverse=True)
    heads = pa.array(map(before, lengths.tolist()), pa.binary())
    return _concat(heads.take(pa.array(places)), contents)


def _optional(fields: pa.BinaryArray, absent: pa.BooleanArray) -> pa.BinaryArray:
    return pc.if_else(absent, pa.scalar(b""), fields)


def _concat(*parts: pa.Array | pa.Scalar) -> pa.BinaryArray:
    return pc.binary_join_element_wise(*parts, b"")
