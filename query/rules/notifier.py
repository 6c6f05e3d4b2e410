"""Tells receivers about alerts: Alertmanagers, and plain webhooks in Alertmanager's format."""

import asyncio
import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote_plus

import httpx
import orjson

from query.promql.series import Labels
from query.rules.alerts import Alert
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

QUEUE = 10_000  # alerts a receiver may be behind
BATCH = 256
TIMEOUT_S = 10.0
FIRST_RETRY_S, LAST_RETRY_S = 1.0, 30.0
_TOO_MANY, _SERVER_ERROR = 429, 500
_NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert to tell of.

    Attributes:
        alert: as the API of Alertmanager takes it.
        labels: by which receivers know it.
        resolved: it is over.
        new: it was not told before in this state.
    """

    alert: dict[str, Any]
    labels: Labels
    resolved: bool
    new: bool


def notice(alert: Alert, expression: str, external_url: str, until_ms: int) -> Notice:
    """The notice of an alert; receivers take it for resolved at ``until_ms`` if they hear nothing more."""
    resolved = alert.state == "inactive"
    body = {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": rfc3339(alert.fired_ms),
        "endsAt": rfc3339(alert.resolved_ms if resolved else until_ms),
        "generatorURL": f"{external_url}/graph?g0.expr={quote_plus(expression)}&g0.tab=1",
    }
    new = alert.sent_ms == 0 or (resolved and alert.sent_ms < alert.resolved_ms)
    return Notice(body, alert.labels, resolved, new)


def rfc3339(ms: int) -> str:
    """The time in UTC; 0 is Go's zero time."""
    if not ms:
        return _NEVER
    return (
        dt.datetime.fromtimestamp(ms / 1000, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


class Format(Protocol):
    """How a receiver is told."""

    def wanted(self, notice: Notice) -> bool:
        """Whether this receiver hears of it."""

    def body(self, notices: Sequence[Notice]) -> bytes:
        """The request's body."""


class Alertmanager:
    """Alertmanager's API v2: it wants every alert again and again, and groups them itself."""

    def wanted(self, notice: Notice) -> bool:  # noqa: ARG002
        """All."""
        return True

    def body(self, notices: Sequence[Notice]) -> bytes:
        """A list of alerts."""
        return orjson.dumps([each.alert for each in notices])


@dataclass(frozen=True, slots=True)
class Webhook:
    """Alertmanager's webhook format, version 4: told when an alert begins and when it ends."""

    external_url: str

    def wanted(self, notice: Notice) -> bool:
        """What is new."""
        return notice.new

    def body(self, notices: Sequence[Notice]) -> bytes:
        """One message with all alerts."""
        alerts = [
            {
                **each.alert,
                "status": "resolved" if each.resolved else "firing",
                "endsAt": each.alert["endsAt"] if each.resolved else _NEVER,
            }
            for each in notices
        ]
        common = dict(set.intersection(*(set(each["labels"].items()) for each in alerts)))
        return orjson.dumps(
            {
                "version": "4",
                "groupKey": "{}:{}",
                "truncatedAlerts": 0,
                "status": "resolved" if all(each.resolved for each in notices) else "firing",
                "receiver": "vigla",
                "groupLabels": {},
                "commonLabels": common,
                "commonAnnotations": dict(
                    set.intersection(*(set(each["annotations"].items()) for each in alerts))
                ),
                "externalURL": self.external_url,
                "alerts": alerts,
            }
        )


@dataclass(slots=True)
class Receiver:
    """One address, and what it has not heard yet: by labels, so that the newest state of an alert counts."""

    url: str
    format: Format
    waiting: dict[tuple[Labels, bool], Notice] = field(default_factory=dict)
    filled: asyncio.Event = field(default_factory=asyncio.Event)
    error: str = ""


class Notifier:
    """Sends in the background, and again after a failure, until the queue is full.

    Args:
        alertmanagers: base URLs.
        webhooks: URLs.
        external_url: by which people reach this server.
        metrics: counts what was sent and dropped.
    """

    def __init__(
        self, alertmanagers: Sequence[str], webhooks: Sequence[str], external_url: str, metrics: Metrics
    ) -> None:
        self.alertmanagers = [url.rstrip("/") + "/api/v2/alerts" for url in alertmanagers]
        self.receivers = [
            *(Receiver(url, Alertmanager()) for url in self.alertmanagers),
            *(Receiver(url, Webhook(external_url)) for url in webhooks),
        ]
        self._metrics = metrics
        self._tasks: list[asyncio.Task[None]] = []
        self._client: httpx.AsyncClient | None = None

    def start(self) -> None:
        """Begin to send; from within the event loop."""
        if self.receivers:
            self._client = httpx.AsyncClient(timeout=TIMEOUT_S)
            self._tasks = [asyncio.create_task(self._run(each, self._client)) for each in self.receivers]

    async def stop(self) -> None:
        """End; what was not sent is told again after a restart, as alerts are restored."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def tell(self, notices: Sequence[Notice]) -> None:
        """Queue notices; the oldest of a receiver that is too far behind are dropped and counted."""
        for receiver in self.receivers:
            for each in notices:
                if receiver.format.wanted(each):
                    receiver.waiting[each.labels, each.resolved] = each
            while len(receiver.waiting) > QUEUE:
                receiver.waiting.pop(next(iter(receiver.waiting)))
                self._metrics.add("vigla_notifications_dropped_total", receiver=receiver.url)
            if receiver.waiting:
                receiver.filled.set()

    async def _run(self, receiver: Receiver, client: httpx.AsyncClient) -> None:
        retry = FIRST_RETRY_S
        while True:
            await receiver.filled.wait()
            keys = list(receiver.waiting)[:BATCH]
            batch = [receiver.waiting.pop(key) for key in keys]
            if await self._send(receiver, client, batch):
                retry = FIRST_RETRY_S
            else:
                receiver.waiting = dict(zip(keys, batch, strict=True)) | receiver.waiting
                await asyncio.sleep(retry)
                retry = min(retry * 2, LAST_RETRY_S)
            if not receiver.waiting:
                receiver.filled.clear()

    async def _send(self, receiver: Receiver, client: httpx.AsyncClient, batch: Sequence[Notice]) -> bool:
        """Whether the batch is done with: taken, or refused for good."""
        headers = {"Content-Type": "application/json"}
        try:
            answer = await client.post(receiver.url, content=receiver.format.body(batch), headers=headers)
        except httpx.HTTPError as error:
            receiver.error = f"{type(error).__name__}: {error}"
            log.warning("a receiver of alerts is away", extra={"url": receiver.url, "error": receiver.error})
            return False
        if answer.is_success:
            receiver.error = ""
            self._metrics.add("vigla_notifications_sent_total", len(batch), receiver=receiver.url)
            return True
        receiver.error = f"HTTP {answer.status_code}: {answer.text[:200]}"
        log.warning("a receiver refuses alerts", extra={"url": receiver.url, "error": receiver.error})
        if answer.status_code == _TOO_MANY or answer.status_code >= _SERVER_ERROR:
            return False
        self._metrics.add("vigla_notifications_dropped_total", len(batch), receiver=receiver.url)
        return True
