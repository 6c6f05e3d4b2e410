"""Bus records to columns, with bad records set aside."""

import logging
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import pyarrow as pa

from vigla.bus.api import Record, Topic
from vigla.errors import BadInput
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)


Rows = TypeVar("Rows")
Made_co = TypeVar("Made_co", covariant=True)


class Decoder(Protocol[Made_co]):
    """Payloads to rows, as ``vigla.wire.otlp.spans.SpanDecoder`` does."""

    def decode(self, payloads: Sequence[bytes]) -> Made_co:
        """Rows of all payloads, or BadInput when one does not parse."""


class DeadLetters(Protocol):
    """Keeps what cannot be decoded, as ``vigla.bus.dead_letter.DeadLetters`` does."""

    def put(self, topic: Topic, record: Record, reason: str) -> None:
        """Keep one record and why it was set aside."""


class Decoding(Generic[Rows]):
    """Decodes batches so that one bad record costs only itself.

    Args:
        topic: where the records come from.
        decoder: of the topic's payloads.
        dead_letters: where undecodable records go.
        metrics: where to count.
    """

    def __init__(
        self, topic: Topic, decoder: Decoder[Rows], dead_letters: DeadLetters, metrics: Metrics
    ) -> None:
        self._topic = topic
        self._decoder = decoder
        self._dead_letters = dead_letters
        self._metrics = metrics

    def decode(self, records: Sequence[Record]) -> list[Rows]:
        """Rows of the records in order; those of undecodable records are left out, kept and counted."""
        try:
            return [self._decoder.decode([record.payload for record in records])]
        except BadInput as error:
            return self._divide(records, str(error))
        except (pa.ArrowException, ArithmeticError, LookupError, TypeError, ValueError) as error:
            # The decoder met what its author did not foresee: one sender's bytes must not stop all others.
            log.warning("decoding %d records failed", len(records), exc_info=error)
            return self._divide(records, f"{type(error).__name__}: {error}")

    def _divide(self, records: Sequence[Record], reason: str) -> list[Rows]:
        if len(records) > 1:
            middle = len(records) // 2
            return [*self.decode(records[:middle]), *self.decode(records[middle:])]
        self._dead_letters.put(self._topic, records[0], reason)
        self._metrics.add("vigla_ingester_undecodable_total", topic=self._topic)
        log.warning("record %d of %s set aside: %s", records[0].offset, self._topic, reason)
        return []
