"""What can go wrong, named by what the caller should do.

ViglaError
├── SettingsError           mend the configuration; raised at start only
├── BadInput                the sender's payload or a user's query is wrong; do not retry as it is
│   ├── PayloadTooLarge     send less at once
│   ├── UnsupportedEncoding send another content type or encoding
│   └── QueryError          mend the query text or parameter
├── NotFound                what was named does not exist
├── Overloaded              retry later; carries a delay
├── QueryStopped            the query was ended before its answer
│   ├── DeadlineExceeded    it ran past its deadline
│   ├── QueryCancelled      its client went away
│   └── ResultTooLarge      it passed its row or memory cap
├── StorageUnavailable      disk full, catalog held by another process; an operator must act
└── Fenced                  another ingester has the partition; drop what is buffered, read on from the lake
"""


class ViglaError(Exception):
    """Base of everything vigla raises on purpose. The message says what to mend."""


class SettingsError(ViglaError):
    """The configuration cannot be used."""


class BadInput(ViglaError):
    """The payload or request is malformed and stays so when resent."""


class PayloadTooLarge(BadInput):
    """A body is larger than allowed, compressed or inflated."""


class UnsupportedEncoding(BadInput):
    """The content type or content encoding is not one the endpoint reads."""


class QueryError(BadInput):
    """A query or its parameters cannot be understood."""


class NotFound(ViglaError):
    """The named thing does not exist."""


class Overloaded(ViglaError):
    """A bounded queue or the disk is full; the sender keeps its data and retries."""

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QueryStopped(ViglaError):
    """The query ended before its answer was complete."""


class DeadlineExceeded(QueryStopped):
    """The query ran past its deadline."""


class QueryCancelled(QueryStopped):
    """The client that asked went away."""


class ResultTooLarge(QueryStopped):
    """The answer passed the row or memory cap."""


class StorageUnavailable(ViglaError):
    """The disk or the catalog refuses; an operator must act."""


class Fenced(ViglaError):
    """Rows were not written, for another writer has written their part of the bus."""


class EnvoyNotReady(ViglaError):
    """An Envoy does not come up; an operator must act."""
