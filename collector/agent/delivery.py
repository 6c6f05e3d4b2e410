"""Sends a batch of one topic's records to the collector, as one request where they can be joined."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import httpx
from google.protobuf.message import DecodeError
from isal import igzip

from collector.agent import answers
from collector.answers import REJECTED_FIELD, RESPONSES
from vigla.bus.api import Record, Topic
from vigla.errors import Overloaded, SettingsError
from vigla.wire.access_logs import envelope as access_logs
from vigla.wire.otlp.descriptors import Signal
from vigla.wire.remote_write import envelope as remote_write

TIMEOUT_S = 10.0
SMALL_BYTES = 1024  # compressing less saves nothing
FASTEST = 1
REFUSALS = frozenset({400, 413, 415, 422})
"""Answers that blame the payload. Others, as 404, blame the address or the collector: that can be mended."""

_SIGNALS: dict[Topic, Signal] = {
    "traces": "traces",
    "metrics": "metrics",
    "logs": "logs",
    "access_logs": "logs",  # the collector tells them from other logs again
}


class Refused(Exception):
    """The collector will never take this payload; the message is its reason."""


class Request(NamedTuple):
    """A request as it is sent."""

    path: str
    body: bytes
    headers: Mapping[str, str]


class Delivery:
    """Sends to one collector. For one thread.

    Args:
        endpoint: of the collector's OTLP over HTTP, ``http://host:4318``.
        headers: sent with each request.

    Raises:
        SettingsError: the endpoint is no HTTP URL.
    """

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        if not endpoint.startswith(("http://", "https://")):
            raise SettingsError(f"agent.collector is {endpoint!r}: give the URL of its OTLP over HTTP")
        try:
            self._http = httpx.Client(base_url=endpoint, headers=dict(headers), timeout=TIMEOUT_S)
        except httpx.InvalidURL as error:
            raise SettingsError(f"agent.collector is {endpoint!r}: {error}") from error

    def send(self, topic: Topic, records: Sequence[Record]) -> int:
        """Send records as one request; gives how many items of them the collector rejected.

        Raises:
            Refused: it will not take this payload.
            Overloaded: send it again later; the delay is 0 when the collector did not name one.
        """
        request = _request(topic, [record.payload for record in records])
        try:
            response = self._http.post(request.path, content=request.body, headers=dict(request.headers))
        except httpx.HTTPError as error:
            reason = f"{type(error).__name__}: {error}"
            raise Overloaded(f"the collector at {self._http.base_url} is away: {reason}", 0.0) from error
        if response.is_success:
            return _rejected(topic, response.content)
        reason = f"the collector answers {response.status_code}: {answers.message(response)}"
        if response.status_code in REFUSALS:
            raise Refused(reason)
        raise Overloaded(reason, answers.retry_after(response) or 0.0)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def joinable(topic: Topic) -> bool:
    """Whether payloads of a topic, one after the other, are one payload."""
    return topic in _SIGNALS


def _request(topic: Topic, payloads: Sequence[bytes]) -> Request:
    """Serialised messages with nothing but repeated fields are joined by joining their bytes."""
    if topic == "remote_write":
        return _remote_write(payloads[0])
    if topic == "access_logs":
        payloads = [access_logs.unwrap(payload)[1] for payload in payloads]
    body, headers = b"".join(payloads), {"content-type": answers.PROTOBUF}
    if len(body) > SMALL_BYTES:
        body, headers["content-encoding"] = igzip.compress(body, FASTEST), "gzip"
    return Request(f"/v1/{_SIGNALS[topic]}", body, headers)


def _remote_write(record: bytes) -> Request:
    version, body = remote_write.unwrap(record)
    (proto,) = (name for name, known in remote_write.PROTO.items() if known == version)
    headers = {
        "content-type": f"{answers.PROTOBUF};proto={proto}",
        "content-encoding": "snappy",
        "x-prometheus-remote-write-version": "2.0.0" if version == "2" else "0.1.0",
    }
    return Request("/api/v1/write", body, headers)


def _rejected(topic: Topic, content: bytes) -> int:
    """How many items a success leaves out."""
    if topic not in _SIGNALS or not content:
        return 0
    signal = _SIGNALS[topic]
    try:
        partial = RESPONSES[signal].FromString(content).partial_success
    except DecodeError as error:  # whatever answers there, it did not take what we sent
        raise Overloaded("the answer is not OTLP's: is agent.collector right?", 0.0) from error
    return int({field.name: n for field, n in partial.ListFields()}.get(REJECTED_FIELD[signal][0], 0))
