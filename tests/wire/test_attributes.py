import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.wire.otlp_requests import value_of, values
from vigla.model.attributes import from_any_value, from_key_values, to_any_value, to_key_values


@pytest.mark.parametrize(("text", "expected"), [
    ("null", {}),
    ('"a"', {"stringValue": "a"}),
    ("true", {"boolValue": True}),
    ("1", {"intValue": "1"}),
    ("1.0", {"doubleValue": 1.0}),
    ('{"$double":"-Infinity"}', {"doubleValue": "-Infinity"}),
    ('{"$bytes":"AQI="}', {"bytesValue": "AQI="}),
    ("[1,null]", {"arrayValue": {"values": [{"intValue": "1"}, {}]}}),
    ('{"a":"b"}', {"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "b"}}]}}),
    ('{"$kvlist":[["$a",true]]}', {"kvlistValue": {"values": [{"key": "$a", "value": {"boolValue": True}}]}}),
    ("{}", {"kvlistValue": {"values": []}}),
])  # fmt: skip
def test_values_render_as_otlp_json(text: str, expected: dict[str, Any]):
    assert to_any_value(json.loads(text)) == expected
    assert json.dumps(from_any_value(expected), separators=(",", ":")) == text


@settings(deadline=None, derandomize=True, max_examples=150)
@given(values)
def test_every_value_survives_both_ways(value: AnyValue):
    kept = value_of(value)
    rendered = to_any_value(kept)
    assert str(json_format.ParseDict(rendered, AnyValue())) == str(value)
    assert repr(from_any_value(rendered)) == repr(kept)
    assert repr(from_any_value(json_format.MessageToDict(value))) == repr(kept)


def test_objects_of_attributes_render_as_key_values():
    pairs = [{"key": "a", "value": {"intValue": "1"}}, {"key": "$b", "value": {}}]
    assert to_key_values({"a": 1, "$b": None}) == pairs
    assert from_key_values(pairs) == {"a": 1, "$b": None}


def test_a_malformed_kvlist_is_an_error():
    with pytest.raises(ValueError, match=r"holds \[key, value\] pairs"):
        to_any_value({"$kvlist": [["a"]]})
