"""What the collector checks before access logs go on the bus: whatever passes decodes later."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from vigla.wire.access_logs import descriptors, envelope
from vigla.wire.fields import delimited
from vigla.wire.otlp.utf8 import repaired_as

_IDENTIFIER = 1  # field of StreamAccessLogsMessage


@dataclass(frozen=True, slots=True)
class AdmittedLogs:
    """A message fit for the bus.

    Attributes:
        record: what to append: the message with its stream's identifier, below its content type.
        entries: requests or connections in it.
        identifier: encoded field for the stream's next messages; empty when none has come.
    """

    record: bytes
    entries: int
    identifier: bytes


def admit(message: bytes, identifier: bytes) -> AdmittedLogs:
    """Check one serialised ``StreamAccessLogsMessage``.

    Only the first message of a stream says which node sends it. Fields of joined messages merge, so the
    encoded identifier in front of a later message makes it complete. Text that is not UTF-8 is repaired.

    Args:
        message: as received.
        identifier: of the stream's messages before this one.

    Raises:
        BadInput: the message does not parse.
    """
    parsed: Any
    try:
        parsed = descriptors.message_class().FromString(message)
    except DecodeError:
        message = repaired_as(descriptors.message_class(), descriptors.message_class(lenient=True), message)
        parsed = descriptors.message_class().FromString(message)
    if parsed.HasField("identifier"):
        parsed.identifier.DiscardUnknownFields()  # the node's metadata: kilobytes to repeat
        identifier = delimited(_IDENTIFIER, parsed.identifier.SerializeToString())
    else:
        message = identifier + message
    entries = len(parsed.http_logs.log_entry) + len(parsed.tcp_logs.log_entry)
    return AdmittedLogs(envelope.wrap(envelope.ENVOY, message), entries, identifier)
