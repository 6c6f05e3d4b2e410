"""Access log records to rows: the same as a plain walk over the messages, and what the collector checks."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.access_log_messages import http_entries, identified, message
from tests.wire.access_log_walk import messages, walked
from vigla.errors import BadInput
from vigla.model.access_logs import access_log_schema
from vigla.wire.access_logs import envelope
from vigla.wire.access_logs.admit import admit
from vigla.wire.access_logs.decode import AccessLogDecoder

JSON_COLUMNS = ("tags", "request_headers", "response_headers", "response_trailers", "metadata")


def rows(table: pa.Table) -> list[dict[str, Any]]:
    table.validate(full=True)
    assert table.schema.equals(access_log_schema())
    at = table.schema.get_field_index("ts")
    listed: list[dict[str, Any]] = table.set_column(at, "ts", table["ts"].cast(pa.int64())).to_pylist()
    for row in listed:
        for name in JSON_COLUMNS:
            row[name] = row[name] and json.loads(row[name])
    return listed


def records(*stream: Any) -> list[bytes]:
    identifier, made = b"", []
    for part in stream:
        admitted = admit(part.SerializeToString(), identifier)
        identifier = admitted.identifier
        made.append(admitted.record)
    return made


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.lists(messages(), max_size=4))
def test_rows_are_those_of_a_plain_walk(stream: list[Any]) -> None:
    assert rows(AccessLogDecoder().decode(records(*stream))) == walked(stream)


def test_nothing_gives_an_empty_table() -> None:
    assert AccessLogDecoder().decode([]).schema.equals(access_log_schema())
    assert AccessLogDecoder().decode(records(identified())).num_rows == 0


@pytest.mark.parametrize(
    "record",
    [b"", b"no content type", b"text/plain\nx", envelope.wrap(envelope.ENVOY, b"\xff\xff garbage")],
)
def test_other_records_are_refused(record: bytes) -> None:
    with pytest.raises(BadInput):
        AccessLogDecoder().decode([*records(http_entries(0, 1)), record])


def test_times_that_a_timestamp_cannot_hold() -> None:
    late = http_entries(0, 2)
    late.http_logs.log_entry[0].common_properties.start_time.seconds = 200_000_000_000
    late.http_logs.log_entry[1].common_properties.start_time.seconds = -5
    found = [row["ts"] for row in rows(AccessLogDecoder().decode(records(late)))]
    assert found == [2**63 - 3, 0]


def test_filter_state_and_odd_metadata() -> None:
    odd = http_entries(0, 2)
    first, second = (entry.common_properties for entry in odd.http_logs.log_entry)
    first.filter_state_objects["known"].type_url = "type.googleapis.com/google.protobuf.StringValue"
    first.filter_state_objects["known"].value = b"\n\x02hi"
    first.filter_state_objects["other"].type_url = "t/x.Y"
    first.filter_state_objects["other"].value = b"\x00"
    second.metadata.filter_metadata["n"]["nan"] = float("nan")
    found = rows(AccessLogDecoder().decode(records(odd)))
    assert json.loads(found[0]["filter_state"]) == {
        "known": "hi",
        "other": {"@type": "t/x.Y", "value": "AA=="},
    }
    assert found[1]["metadata"] == {"n": {"nan": "nan"}}


def test_admitting_counts_entries_and_keeps_the_identifier() -> None:
    first = admit(http_entries(0, 3, into=identified("n")).SerializeToString(), b"")
    later = admit(http_entries(3, 2).SerializeToString(), first.identifier)
    assert (first.entries, later.entries) == (3, 2)
    assert later.identifier == first.identifier
    again = admit(http_entries(5, 1, into=identified("m")).SerializeToString(), later.identifier)
    assert [row["node"] for row in rows(AccessLogDecoder().decode([again.record]))] == ["m"]
    assert admit(message().SerializeToString(), b"").entries == 0


@pytest.mark.parametrize("payload", [b"\xff garbage", b"\x12\x05", b"\x0a\x02\xff\xff"])
def test_what_does_not_parse_is_refused(payload: bytes) -> None:
    with pytest.raises(BadInput):
        admit(payload, b"")


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.binary(max_size=60))
def test_whatever_is_admitted_decodes(payload: bytes) -> None:
    try:
        admitted = admit(payload, b"")
    except BadInput:
        return
    assert AccessLogDecoder().decode([admitted.record]).num_rows == admitted.entries
