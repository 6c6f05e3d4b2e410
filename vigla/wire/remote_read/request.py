"""Requests of remote read. Source: ``remote.proto`` of Prometheus, ``ReadRequest``."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from vigla.errors import BadInput
from vigla.wire.messages import described
from vigla.wire.remote_write import envelope

MatchOp = Literal["=", "!=", "=~", "!~"]
OPERATORS: tuple[MatchOp, ...] = ("=", "!=", "=~", "!~")
"""In the order of their numbers on the wire."""
SAMPLES, STREAMED_XOR_CHUNKS = 0, 1

_MESSAGES = {
    "ReadRequest": ("1 repeated Query queries", "2 repeated int32 accepted_response_types"),
    "Query": (
        "1 int64 start_timestamp_ms",
        "2 int64 end_timestamp_ms",
        "3 repeated LabelMatcher matchers",
    ),
    "LabelMatcher": ("1 int32 type", "2 bytes name", "3 bytes value"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """On one label."""

    name: str
    op: MatchOp
    value: str


@dataclass(frozen=True, slots=True)
class Query:
    """All samples in a range, both ends included, of series that meet every condition."""

    start_ms: int
    end_ms: int
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What is asked.

    Attributes:
        queries: each is answered by itself.
        accepted: numbers of the answers' forms the client takes, the best first; never empty.
    """

    queries: tuple[Query, ...]
    accepted: tuple[int, ...]


def decode(body: bytes) -> ReadRequest:
    """A compressed request.

    Raises:
        BadInput: it is not one.
        PayloadTooLarge: it is larger than Prometheus would take.
    """
    message: Any = message_class()()
    try:
        message.ParseFromString(envelope.decompress(body))
        queries = tuple(_query(each) for each in message.queries)
    except (DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"body is no prometheus.ReadRequest: {error}") from error
    return ReadRequest(queries, tuple(message.accepted_response_types) or (SAMPLES,))


def _query(message: Any) -> Query:
    conditions = tuple(_condition(each) for each in message.matchers)
    return Query(message.start_timestamp_ms, message.end_timestamp_ms, conditions)


def _condition(message: Any) -> Condition:
    if not 0 <= message.type < len(OPERATORS):
        raise BadInput(f"matcher of type {message.type}: known are 0 (=), 1 (!=), 2 (=~) and 3 (!~)")
    return Condition(message.name.decode(), OPERATORS[message.type], message.value.decode())


@cache
def message_class() -> type[Message]:
    """The request's class."""
    return GetMessageClass(described("remote_read", _MESSAGES).message_types_by_name["ReadRequest"])
