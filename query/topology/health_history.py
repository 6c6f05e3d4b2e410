"""Health of apps, services and workloads over time, by columns."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from query.promql.engine import Engine
from query.promql.gotext import quote
from query.promql.results import Series
from query.promql.series import SeriesSource
from query.topology.status import Status
from query.topology.telemetry import response_code
from query.topology.tolerances import Bounds, Tolerances
from query.topology.traffic import Protocol
from vigla.storage.api import Stop

Kind = Literal["app", "service", "workload"]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
SIDES: Final[dict[Kind, tuple[tuple[str, str, str], ...]]] = {
    "app": (
        ("inbound", "destination_workload_namespace", "destination_canonical_service"),
        ("outbound", "source_workload_namespace", "source_canonical_service"),
    ),
    "service": (("inbound", "destination_service_namespace", "destination_service_name"),),
    "workload": (
        ("inbound", "destination_workload_namespace", "destination_workload"),
        ("outbound", "source_workload_namespace", "source_workload"),
    ),
}
"""Direction, and labels of namespace and name."""


@dataclass(frozen=True, slots=True)
class Span:
    """When to judge.

    Attributes:
        start, end: Unix seconds of the first and the last step.
        step: seconds.
        window: seconds of calls that each judgement is about.
    """

    start: int
    end: int
    step: int
    window: int

    @property
    def times(self) -> list[int]:
        """Unix seconds of the steps."""
        return list(range(self.start, self.end + 1, self.step))


@dataclass(slots=True)
class History:
    """Health of one object.

    Attributes:
        statuses: int64, a ``Status`` for each step.
        reasons: of the last step.
    """

    namespace: str
    kind: Kind
    name: str
    statuses: Codes
    reasons: list[str] = field(default_factory=list)

    def raised(self, statuses: Codes, reason: str) -> None:
        """Take in one more judgement."""
        self.statuses = np.maximum(self.statuses, statuses)
        if statuses[-1] > Status.HEALTHY:
            self.reasons.append(reason)


def histories(  # noqa: PLR0913  (what is judged, by what, when)
    source: SeriesSource,
    tolerances: Tolerances,
    span: Span,
    *,
    namespaces: Collection[str] = (),
    kinds: Collection[Kind] = ("app", "service", "workload"),
    stop: Stop,
) -> list[History]:
    """Health of every object with requests, by namespace, kind and name.

    Args:
        source: the metrics.
        tolerances: of each object.
        span: when.
        namespaces: only of these; empty: all.
        kinds: only of these.
        stop: ends it.
    """
    found: dict[tuple[str, Kind, str], History] = {}
    for kind in kinds:
        for side in SIDES[kind]:
            reader = _Reader(source, span, side, namespaces, stop)
            for key, codes in reader.requests().items():
                history = _of(found, (key[0], kind, key[1]), span)
                _judge(history, codes, tolerances.of(key[0], kind, key[1]), side[0])
            if tolerances.judge_latency and side[0] == "inbound":
                for key, p95_ms in reader.p95_ms():
                    bound = tolerances.of(key[0], kind, key[1]).p95_ms
                    statuses = np.where(p95_ms > (bound or np.inf), Status.DEGRADED, Status.NA)
                    history = _of(found, (key[0], kind, key[1]), span)
                    history.raised(statuses, f"inbound p95 {p95_ms[-1]:.0f} ms is above {bound:.0f} ms")
    return [found[key] for key in sorted(found)]


def _of(found: dict[tuple[str, Kind, str], History], key: tuple[str, Kind, str], span: Span) -> History:
    if key not in found:
        found[key] = History(*key, np.full(len(span.times), int(Status.NA), np.int64))
    return found[key]


@dataclass(frozen=True, slots=True)
class _Reader:
    source: SeriesSource
    span: Span
    side: tuple[str, str, str]
    namespaces: Collection[str]
    stop: Stop

    def requests(self) -> dict[tuple[str, str], list[tuple[str, str, Floats]]]:
        """By namespace and name: protocol, code, and a rate for each step."""
        found: dict[tuple[str, str], list[tuple[str, str, Floats]]] = {}
        more = "request_protocol,response_code,grpc_response_status"
        for key, labels, rates in self._series("istio_requests_total", more):
            protocol: Protocol = "grpc" if labels.get("request_protocol") == "grpc" else "http"
            code = response_code(protocol, labels)
            found.setdefault(key, []).append((protocol, code, np.nan_to_num(rates)))
        return found

    def p95_ms(self) -> Iterator[tuple[tuple[str, str], Floats]]:
        """By namespace and name the p95 of calls, NaN without."""
        query = self._rate("istio_request_duration_milliseconds_bucket", "le")
        for key, _, values in self._run(f"histogram_quantile(0.95,{query})"):
            yield key, values

    def _series(self, metric: str, more: str) -> Iterator[tuple[tuple[str, str], dict[str, str], Floats]]:
        return self._run(f"{self._rate(metric, more)} > 0")

    def _rate(self, metric: str, more: str) -> str:
        _, place, name = self.side
        only = quote("|".join(map(re.escape, self.namespaces))) if self.namespaces else '".+"'
        selector = f'{place}=~{only},{place}!="unknown",{name}!="unknown",{name}!=""'
        return f"sum(rate({metric}{{{selector}}}[{self.span.window}s])) by ({place},{name},{more})"

    def _run(self, query: str) -> Iterator[tuple[tuple[str, str], dict[str, str], Floats]]:
        span = self.span
        times = (span.start * 1000, span.end * 1000, span.step * 1000)
        value = Engine().range(self.source, query, *times, self.stop).value
        if isinstance(value, Series):
            matrix = value.matrix
            values = np.where(matrix.present, matrix.values, np.nan)
            for own, row in zip(matrix.labels, values, strict=True):
                labels = dict(own)
                yield (labels.get(self.side[1], ""), labels.get(self.side[2], "")), labels, row


def _judge(history: History, codes: Sequence[tuple[str, str, Floats]], bounds: Bounds, side: str) -> None:
    for protocol in sorted({each[0] for each in codes}):
        own = [(code, rates) for spoken, code, rates in codes if spoken == protocol]
        total = np.sum([rates for _, rates in own], axis=0)
        for tolerance in bounds.tolerances:
            if not re.fullmatch(tolerance.protocol, protocol) or not re.fullmatch(tolerance.direction, side):
                continue
            matched = [(code, rates) for code, rates in own if re.fullmatch(tolerance.code, code)]
            bad = np.sum([rates for _, rates in matched], axis=0) if matched else np.zeros(len(total))
            percent = np.divide(bad * 100, total, out=np.zeros(len(total)), where=total > 0)
            statuses = np.select(
                [total <= 0, percent <= 0, percent >= tolerance.failure, percent >= tolerance.degraded],
                [Status.NA, Status.HEALTHY, Status.FAILURE, Status.DEGRADED],
                Status.HEALTHY,
            )
            names = ", ".join(
                sorted({code.replace("-", "no response") for code, rates in matched if rates[-1] > 0})
            )
            history.raised(statuses, f"{side} {protocol} {names}: {percent[-1]:.3g} % of calls")
