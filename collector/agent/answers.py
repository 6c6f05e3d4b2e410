"""What the answer of an OTLP receiver means for the sender.

Source: the OTLP specification, "OTLP/HTTP Response" and "OTLP/HTTP Throttling".
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

PROTOBUF = "application/x-protobuf"
RETRYABLE = frozenset({429, 502, 503, 504})  # the specification's list
MAX_MESSAGE_CHARACTERS = 200

_STATUS_MESSAGE = 2


def message(response: httpx.Response) -> str:
    """Errors carry a ``google.rpc.Status``: field 2 is its message; a proxy's page is cut short."""
    content = response.content
    if response.headers.get("content-type") == PROTOBUF:
        try:
            fields = UnknownFieldSet(Empty.FromString(content))
        except DecodeError:
            return response.reason_phrase
        present = (fields[i] for i in range(len(fields)))
        content = b"".join(field.data for field in present if field.field_number == _STATUS_MESSAGE)
    return content.decode(errors="replace")[:MAX_MESSAGE_CHARACTERS] or response.reason_phrase


def retry_after(response: httpx.Response | None) -> float | None:
    """Seconds that the header ``Retry-After`` asks for, as a number or a date; None when it does not."""
    text = "" if response is None else response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
