"""Answers of remote read: see ``vigla.wire.remote_read``."""

import struct
from collections.abc import Iterator
from typing import Any

import crc32c
import numpy as np
import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vigla.errors import BadInput
from vigla.prometheus.staleness import STALE
from vigla.wire.messages import described
from vigla.wire.remote_read import samples, stream
from vigla.wire.remote_read.chunks import SAMPLES, chunks
from vigla.wire.remote_read.request import Condition, Query, decode, message_class
from vigla.wire.remote_write import envelope

MESSAGES = {
    "ChunkedReadResponse": ("1 repeated ChunkedSeries chunked_series", "2 int64 query_index"),
    "ChunkedSeries": ("1 repeated Label labels", "2 repeated Chunk chunks"),
    "Chunk": ("1 int64 min_time_ms", "2 int64 max_time_ms", "3 int32 type", "4 bytes data"),
    "ReadResponse": ("1 repeated QueryResult results",),
    "QueryResult": ("1 repeated TimeSeries timeseries",),
    "TimeSeries": ("1 repeated Label labels", "2 repeated Sample samples"),
    "Label": ("1 bytes name", "2 bytes value"),
    "Sample": ("1 double value", "2 int64 timestamp"),
}
FILE = described("remote_read_answers", MESSAGES)
LABELS = (("__name__", "up"), ("job", "ä"))


def parsed(name: str, content: bytes) -> Any:
    message = GetMessageClass(FILE.message_types_by_name[name])()
    message.ParseFromString(content)
    return message


class Bits:
    """Reads a chunk bit by bit, as its format is described; written for this test only."""

    def __init__(self, data: bytes) -> None:
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def number(self, size: int) -> int:
        self.at += size
        return int(self.text[self.at - size : self.at] or "0", 2)

    def varint(self) -> int:
        value = shift = 0
        while (byte := self.number(8)) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift

    def dod(self) -> int:
        ones = 0
        while ones < 4 and self.number(1):
            ones += 1
        size = (0, 14, 17, 20, 64)[ones]
        value = self.number(size) if size else 0
        return value - (1 << size) if size and value > 1 << (size - 1) else value


def walked(data: bytes) -> Iterator[tuple[int, bytes]]:
    bits = Bits(data)
    count = bits.number(16)
    first = bits.varint()
    time, value = first >> 1 ^ -(first & 1), bits.number(64)
    yield time, value.to_bytes(8, "big")
    delta = leading = size = 0
    for number in range(1, count):
        delta = bits.varint() if number == 1 else delta + bits.dod()
        time += delta
        if bits.number(1):
            if bits.number(1):
                leading, size = bits.number(5), bits.number(6) or 64
            value ^= bits.number(size) << (64 - leading - size)
        yield time, value.to_bytes(8, "big")


floats = st.one_of(st.floats(), st.integers(-(10**6), 10**6).map(float), st.sampled_from([0.0, 1.0, STALE]))
series = st.lists(st.tuples(st.integers(1, 2**40), floats), max_size=300)


@settings(max_examples=80, deadline=None)
@given(start=st.integers(-(2**40), 2**41), steps=series)
@example(start=0, steps=[(15_000, float(n)) for n in range(SAMPLES * 2 + 1)])
def test_chunks_hold_every_bit(start: int, steps: list[tuple[int, float]]) -> None:
    times = start + np.cumsum(np.array([step for step, _ in steps], np.int64))
    values = np.array([value for _, value in steps])
    made = list(chunks(times, values))
    assert [(each.first_ms, each.last_ms) for each in made] == [
        (int(times[n]), int(times[min(n + SAMPLES, len(times)) - 1])) for n in range(0, len(times), SAMPLES)
    ]
    found = [pair for each in made for pair in walked(each.data)]
    assert found == [(t, struct.pack(">d", v)) for t, v in zip(times.tolist(), values, strict=True)]


@settings(max_examples=50, deadline=None)
@given(start=st.integers(-(2**50), 2**50), steps=series)
@example(start=1_700_000_000_000, steps=[(15_000, float(n)) for n in range(100)])
def test_samples_of_series(start: int, steps: list[tuple[int, float]]) -> None:
    times = start + np.cumsum(np.array([step for step, _ in steps], np.int64))
    values = np.array([value for _, value in steps], np.float64)
    one = samples.series(LABELS, times, values)
    response = parsed("ReadResponse", envelope.decompress(samples.response([[], [one, one]])))
    assert [len(result.timeseries) for result in response.results] == [0, 2]
    found = response.results[1].timeseries[1]
    assert [(label.name.decode(), label.value.decode()) for label in found.labels] == list(LABELS)
    assert [sample.timestamp for sample in found.samples] == times.tolist()
    got = np.array([sample.value for sample in found.samples], np.float64)
    assert np.array_equal(got, values, equal_nan=True)


def frames(data: bytes) -> Iterator[bytes]:
    while data:
        size = shift = place = 0
        while True:
            byte = data[place]
            size |= (byte & 0x7F) << shift
            place, shift = place + 1, shift + 7
            if byte < 0x80:
                break
        content = data[place + 4 : place + 4 + size]
        assert int.from_bytes(data[place : place + 4], "big") == crc32c.crc32c(content)
        yield content
        data = data[place + 4 + size :]


def test_long_series_are_cut_into_frames() -> None:
    count = 400_000
    values = np.random.default_rng(1).normal(size=count)
    data = b"".join(stream.frames(3, LABELS, chunks(np.arange(count) * 15_000, values)))
    contents = list(frames(data))
    assert len(contents) > 2
    assert max(map(len, contents)) <= stream.MAX_FRAME_BYTES + 100
    messages = [parsed("ChunkedReadResponse", each) for each in contents]
    assert {each.query_index for each in messages} == {3}
    held = [each.chunked_series[0] for each in messages]
    assert all(each.labels[1].value.decode() == "ä" for each in held)
    starts = [chunk.min_time_ms for each in held for chunk in each.chunks]
    assert starts == [n * 15_000 for n in range(0, count, SAMPLES)]


def test_request() -> None:
    message: Any = message_class()()
    query = message.queries.add(start_timestamp_ms=-1, end_timestamp_ms=5)
    for kind, name in enumerate([b"a", b"b", b"c", b"d"]):
        query.matchers.add(type=kind, name=name, value=b"v")
    found = decode(envelope.compress(message.SerializeToString()))
    conditions = [Condition(n, op, "v") for n, op in zip("abcd", ("=", "!=", "=~", "!~"), strict=True)]
    assert found.queries == (Query(-1, 5, tuple(conditions)),)
    assert found.accepted == (0,)


@pytest.mark.parametrize(
    "content", [b"\xff" * 10, b"\x0a\x05\x1a\x03\x08\x09", b"\x0a\x05\x1a\x05\x12\x01\xff"]
)
def test_bad_requests(content: bytes) -> None:
    with pytest.raises(BadInput):
        decode(envelope.compress(content))
