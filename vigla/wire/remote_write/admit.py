"""What the collector checks before a remote write request goes on the bus: whatever passes decodes later."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vigla.errors import BadInput
from vigla.wire.remote_write import envelope, histograms
from vigla.wire.remote_write.decode import refused
from vigla.wire.remote_write.descriptors import Version, message_class
from vigla.wire.remote_write.labels import Ints, Mask
from vigla.wire.remote_write.requests import Requests, parse
from vigla.wire.series_limit import REFUSED, Limit, NoLimit, Series

AHEAD_MS = 10 * 60 * 1000
EARLIEST_MS = -8_500_000_000_000  # in the year 1700; the engine's nanoseconds end soon before

SOURCE = b"job"
_NAMED_SERIES = 10  # in an error
NO_LIMIT = NoLimit()


@dataclass(frozen=True, slots=True)
class AdmittedWrite:
    """A request fit for the bus.

    Attributes:
        record: what to append; empty when nothing is left.
        samples, histograms, exemplars: how many are kept.
        rejected: series that were left out and told.
        reason: why a part of the request was left out, for the answer; empty when none was.
    """

    record: bytes
    samples: int
    histograms: int
    exemplars: int
    rejected: int = 0
    reason: str = ""


def admit(version: Version, body: bytes, now_ms: int, limit: Limit = NO_LIMIT) -> AdmittedWrite:
    """Check a compressed request.

    Series with wrong labels are left out of a 1.0 request in silence, as Prometheus does; any other fault
    refuses all of it. Of a 2.0 request what is right is kept and the rest is told.

    Args:
        version: of the message.
        body: the request.
        now_ms: this clock's time.
        limit: of series; new ones past it are left out and told, of both versions.

    Raises:
        BadInput: nothing of the request can be kept; the message says why.
        PayloadTooLarge: it inflates to more than allowed.
    """
    message = envelope.decompress(body)
    requests = parse(version, [message])
    faults = _faults(requests, now_ms)
    wrong_labels = refused(requests)
    if version == "1":
        wrong = np.logical_or.reduce(list(faults.values())) & ~wrong_labels
        if wrong.any():
            raise BadInput(_reason(requests, {text: mask & ~wrong_labels for text, mask in faults.items()}))
        problems = _over(requests, limit)
        wrong = problems[REFUSED] & ~wrong_labels
    else:
        problems = requests.labels.problems() | _empty(requests) | faults | _over(requests, limit)
        wrong_labels = np.zeros(requests.labels.sets, bool)
        wrong = np.logical_or.reduce(list(problems.values()))
    reason = _reason(requests, problems)
    if wrong.any():
        body = envelope.compress(_without(version, message, wrong))
    kept = _admitted(version, body, requests, ~(wrong | wrong_labels), reason)
    return replace(kept, rejected=int(wrong.sum()))


def _over(requests: Requests, limit: Limit) -> dict[str, Mask]:
    labels = requests.labels
    jobs = labels.values_of(SOURCE)
    return {REFUSED: limit.over(Series(labels.ids(), jobs, labels.values, np.ones(labels.sets, np.int64)))}


def _faults(requests: Requests, now_ms: int) -> dict[str, Mask]:
    """What is wrong with points: for each reason the series."""
    outside = _outside(requests.samples.field("timestamp").to_numpy(), now_ms)
    outside_h = _outside(requests.histograms.field("timestamp").to_numpy(), now_ms)
    late_or_early = _series(requests, requests.sample_series[outside])
    late_or_early |= _series(requests, requests.histogram_series[outside_h])
    bad = histograms.invalid(requests.histograms)
    return {
        "out of bounds: a sample is more than 10 minutes ahead of this clock": late_or_early,
        "invalid native histogram": _series(requests, requests.histogram_series[bad]),
    }


def _outside(times: Ints, now_ms: int) -> Mask:
    outside: Mask = (times > now_ms + AHEAD_MS) | (times < EARLIEST_MS)
    return outside


def _empty(requests: Requests) -> dict[str, Mask]:
    has = _series(requests, requests.sample_series) | _series(requests, requests.histogram_series)
    return {"series has neither samples nor histograms": ~has}


def _series(requests: Requests, places: Ints) -> Mask:
    found = np.zeros(requests.labels.sets, bool)
    found[places] = True
    return found


def _reason(requests: Requests, problems: dict[str, Mask]) -> str:
    texts = []
    for text, mask in problems.items():
        if mask.any():
            named = requests.labels.taken(np.flatnonzero(mask)[:_NAMED_SERIES]).texts().to_pylist()
            texts.append(f"{text}: {mask.sum()} series, as {', '.join(named)}")
    return "; ".join(texts)


def _without(version: Version, message: bytes, wrong: Mask) -> bytes:
    request: Any = message_class(version).FromString(message)
    kept = [series for series, bad in zip(request.timeseries, wrong, strict=True) if not bad]
    del request.timeseries[:]
    request.timeseries.extend(kept)
    content: bytes = request.SerializeToString()
    return content


def _admitted(version: Version, body: bytes, requests: Requests, good: Mask, reason: str) -> AdmittedWrite:
    samples, histograms_, exemplars = (
        int(good[owners].sum())
        for owners in (requests.sample_series, requests.histogram_series, requests.exemplar_series)
    )
    kept = samples + histograms_ + exemplars + len(requests.metadata)
    record = envelope.wrap(version, body) if kept else b""
    return AdmittedWrite(record, samples, histograms_, exemplars, reason=reason)
