"""Hands one topic's records to the collector, in order, until it has taken or refused each for good."""

import logging
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from collector.agent.delivery import Delivery, Refused, joinable
from collector.agent.positions import PositionFile
from vigla.bus.api import Record, Topic
from vigla.bus.dead_letter import DeadLetters
from vigla.bus.local import LocalBus
from vigla.errors import Overloaded, StorageUnavailable
from vigla.model.partitions import Partition
from vigla.settings import AgentSettings
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

POLL_S = 0.5
FIRST_DELAY_S = 0.25
JOIN_S = 12.0  # a request ends within its own timeout


@dataclass(frozen=True, slots=True)
class Outlet:
    """What forwarders of all topics share."""

    settings: AgentSettings
    spool: LocalBus
    set_aside: DeadLetters
    metrics: Metrics


class Forwarder:
    """A thread for one topic. Nothing overtakes: a record that is retried holds back those behind it.

    What the collector took is noted before more is sent, so a crash repeats one request at most.
    """

    def __init__(self, topic: Topic, outlet: Outlet, position: PositionFile) -> None:
        """Go on where the last process ended.

        Args:
            topic: whose records are sent.
            outlet: the spool and where to.
            position: the offset below which all is delivered.

        Raises:
            StorageUnavailable: the position cannot be read.
            SettingsError: the collector's address is no URL.
        """
        self._topic = topic
        self._partition = Partition(topic)
        self._outlet = outlet
        self._delivery = Delivery(outlet.settings.collector, outlet.settings.headers)
        self._position = position
        self._offset: int = position.load() or 0
        outlet.spool.reserve(self._partition, self._offset)
        self._stopping = threading.Event()
        self._waiting = False
        self._thread = threading.Thread(target=self._run, name=f"forward {topic}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def idle(self) -> bool:
        """Whether there is nothing to send, or nobody who takes it."""
        return self._waiting or self._offset >= self._outlet.spool.end(self._partition)

    def stop(self) -> None:
        """End after the request that is under way; what is left stays on disk."""
        self._stopping.set()
        self._thread.join(JOIN_S)
        self._delivery.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                records = self._next()
            except StorageUnavailable as error:
                log.error("%s cannot be read: %s", self._topic, error)  # noqa: TRY400  no bug of ours
                self._stopping.wait(self._outlet.settings.max_retry_delay_s)
                continue
            if records and self._deliver(records):
                self._offset = records[-1].offset + 1
                self._keep_position()

    def _next(self) -> Sequence[Record]:
        """What waits, after a moment in which more may come."""
        limit = self._outlet.settings.batch_bytes if joinable(self._topic) else 1
        spool, start = self._outlet.spool, {self._partition: self._offset}
        if not spool.poll(self._topic, start, max_bytes=1, timeout_s=POLL_S):
            return []
        self._stopping.wait(self._outlet.settings.batch_wait_s)
        return spool.poll(self._topic, start, max_bytes=limit, timeout_s=0)

    def _deliver(self, records: Sequence[Record]) -> bool:
        """Send until it is decided, a refused batch by halves to find what it is; False if we stop."""
        delay = FIRST_DELAY_S
        while True:
            try:
                rejected = self._send(records)
            except Refused as refusal:
                half = len(records) // 2
                if half:
                    return self._deliver(records[:half]) and self._deliver(records[half:])
                self._put_aside(records[0], str(refusal))
                return True
            except Overloaded as trouble:
                if not self._wait(trouble, delay):
                    return False
                delay = min(delay * 2, self._outlet.settings.max_retry_delay_s)
            else:
                self._count(len(records), rejected)
                return True

    def _send(self, records: Sequence[Record]) -> int:
        rejected = self._delivery.send(self._topic, records)
        if self._waiting:
            log.info("collector takes %s again", self._topic)
        self._waiting = False
        return rejected

    def _wait(self, trouble: Overloaded, delay: float) -> bool:
        """As long as the collector asks for, else longer each time, not all agents at the same moment."""
        if not self._waiting:
            log.warning("%s waits on disk: %s", self._topic, trouble)
        self._waiting = True
        self._outlet.metrics.add("vigla_agent_retries_total", topic=self._topic)
        jittered = delay * random.uniform(0.5, 1.0)  # noqa: S311  no secret
        return not self._stopping.wait(max(trouble.retry_after_s, jittered))

    def _put_aside(self, record: Record, reason: str) -> None:
        self._outlet.metrics.add("vigla_agent_set_aside_total", topic=self._topic)
        try:
            self._outlet.set_aside.put(self._topic, record, reason)
        except OSError as error:
            log.error("refused record is lost, the disk refuses it too: %s", error)  # noqa: TRY400  no bug of ours

    def _count(self, records: int, rejected: int) -> None:
        self._outlet.metrics.add("vigla_agent_forwarded_total", records, topic=self._topic)
        if rejected:
            self._outlet.metrics.add("vigla_agent_rejected_total", rejected, topic=self._topic)

    def _keep_position(self) -> None:
        """Without a position on disk a crash repeats more records; that is no reason to stop."""
        try:
            self._position.save(self._offset)
        except OSError as error:
            log.warning("position of %s not kept: %s", self._topic, error)
        self._outlet.spool.commit(self._partition, self._offset)
