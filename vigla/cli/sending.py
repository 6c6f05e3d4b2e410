"""Sends OTLP requests over HTTP as an exporter should: retries what may be retried, reports what was refused.

Source: the OTLP specification, "OTLP/HTTP Response" and "OTLP/HTTP Throttling".
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from collector.agent import answers
from vigla.errors import SettingsError, ViglaError

TRACES_PATH = "/v1/traces"
TIMEOUT_S = 30.0
RETRY_FOR_S = 120.0  # an overloaded server that does not recover in this time needs its operator
FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 10.0


@dataclass(slots=True)
class Summary:
    """What became of the spans.

    Attributes:
        accepted: spans the server took.
        rejected: spans it refused, by its reason.
        requests: requests answered.
        retries: requests sent again.
    """

    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    retries: int = 0


class Sender:
    """Sends to one endpoint, one request at a time.

    Args:
        endpoint: of the receiver, ``http://host:4318``.
        sleep: waits between retries.
        retry_for_s: gives up on one request after this time.
    """

    def __init__(
        self, endpoint: str, sleep: Callable[[float], None] = time.sleep, retry_for_s: float = RETRY_FOR_S
    ) -> None:
        self.summary = Summary()
        self._sleep = sleep
        self._retry_for_s = retry_for_s
        try:
            self._http = httpx.Client(base_url=endpoint, timeout=TIMEOUT_S)
        except httpx.InvalidURL as error:
            raise SettingsError(f"{endpoint}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def send(self, request: ExportTraceServiceRequest, spans: int) -> None:
        """Send and count. Retries until an answer is final.

        Raises:
            ViglaError: the server cannot be reached, or stayed overloaded for ``retry_for_s``.
        """
        body = request.SerializeToString()
        waited, delay = 0.0, FIRST_DELAY_S
        while True:
            response, trouble = self._post(body)
            if response is not None and response.status_code not in answers.RETRYABLE:
                self._count(response, spans)
                return
            if waited >= self._retry_for_s:
                raise ViglaError(f"gave up after {waited:.0f} s: {trouble}")
            wait = answers.retry_after(response) or delay
            self._sleep(wait)
            self.summary.retries += 1
            waited += wait
            delay = min(delay * 2, LONGEST_DELAY_S)

    def _post(self, body: bytes) -> tuple[httpx.Response | None, str]:
        """The answer, and what to say if it is none that counts."""
        try:
            response = self._http.post(TRACES_PATH, content=body, headers={"Content-Type": answers.PROTOBUF})
        except httpx.ConnectError as error:
            if not self.summary.requests:  # most likely the address is wrong
                raise ViglaError(f"nothing listens at {self._http.base_url}: {error}") from error
            return None, str(error)
        except httpx.UnsupportedProtocol as error:
            raise SettingsError(f"{self._http.base_url}: {error}") from error
        except httpx.HTTPError as error:
            return None, f"{type(error).__name__}: {error}"
        return response, f"{self._http.base_url} answers {response.status_code}"

    def _count(self, response: httpx.Response, spans: int) -> None:
        self.summary.requests += 1
        if not response.is_success:
            self.summary.rejected[f"status {response.status_code}: {answers.message(response)}"] += spans
            return
        answer = _answer(response)
        rejected = answer.partial_success.rejected_spans
        self.summary.accepted += spans - rejected
        if rejected:
            self.summary.rejected[answer.partial_success.error_message or "no reason given"] += rejected


def _answer(response: httpx.Response) -> ExportTraceServiceResponse:
    try:
        return ExportTraceServiceResponse.FromString(response.content)
    except DecodeError as error:
        raise ViglaError(f"{response.url} is no OTLP receiver: its answer does not parse") from error
