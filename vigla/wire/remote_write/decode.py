"""Remote write records to the columns of ``vigla.model.samples``, without a Python loop over samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from vigla.model.samples import TIME
from vigla.wire.otlp.spans import chunks
from vigla.wire.remote_write import envelope, histograms
from vigla.wire.remote_write.descriptors import METRIC_TYPES, Version
from vigla.wire.remote_write.labels import Ints, Mask
from vigla.wire.remote_write.requests import Requests, parse


@dataclass(frozen=True, slots=True)
class Decoded:
    """What some requests hold; series that Prometheus skips are left out.

    Attributes:
        series: ``sid``, ``name``, ``labels`` and ``check`` (see ``LabelSets.checks``), each series once.
        samples, histograms: rows as in ``vigla.model.samples`` without ``seq``, in the order sent.
        exemplars: rows as there.
        metadata: rows as there without ``ts``.
    """

    series: pa.Table
    samples: pa.Table
    histograms: pa.Table
    exemplars: pa.Table
    metadata: pa.Table


class RemoteWriteDecoder:
    """Decodes records of the topic ``remote_write``. Has no state, so any thread may call it."""

    def decode(self, payloads: Sequence[bytes]) -> list[Decoded]:
        """Decode records that ``admit`` made.

        Raises:
            BadInput: a record does not parse; none of them is decoded.
        """
        return [decoded(parse(version, part)) for version, part in _messages(payloads)]


def _messages(payloads: Sequence[bytes]) -> Iterator[tuple[Version, list[bytes]]]:
    """Messages in order, in groups of one version."""
    version: Version = "1"
    group: list[bytes] = []
    for payload in payloads:
        found, body = envelope.unwrap(payload)
        if found != version and group:
            for part in chunks(group):
                yield version, part
            group = []
        version = found
        group.append(envelope.decompress(body))
    for part in chunks(group):
        yield version, part


@cache
def empty() -> Decoded:
    """Of no request."""
    return decoded(parse("2", [b""]))


def refused(requests: Requests) -> Mask:
    """Which series have labels that are not kept."""
    wrong: Mask = np.logical_or.reduce(list(requests.labels.problems().values()))
    return wrong


def decoded(requests: Requests) -> Decoded:
    """Requests as rows to store; what Prometheus skips is left out."""
    good = ~refused(requests)
    ids = requests.labels.ids()
    _, firsts = np.unique(ids[good], return_index=True)
    distinct = np.sort(np.flatnonzero(good)[firsts])
    series = requests.labels.taken(distinct)
    fit = good[requests.histogram_series] & ~histograms.invalid(requests.histograms)
    kept = np.flatnonzero(fit)
    sent = requests.histograms.take(pa.array(kept))
    return Decoded(
        series=pa.table(
            {
                "sid": ids[distinct],
                "name": series.metric_names(),
                "labels": series.texts(),
                "check": series.checks(),
            }
        ),
        samples=_samples(requests, ids, good),
        histograms=pa.table(
            {
                **_place(sent, ids[requests.histogram_series[kept]]),
                **histograms.columns(sent),
                "start": _start(sent),
            }
        ),
        exemplars=_exemplars(requests, ids, good),
        metadata=_metadata(requests.metadata),
    )


def _samples(requests: Requests, ids: Ints, good: Mask) -> pa.Table:
    kept = good[requests.sample_series]
    samples, series = requests.samples, requests.sample_series
    if not kept.all():
        samples, series = samples.filter(pa.array(kept)), series[kept]
    return pa.table(
        {**_place(samples, ids[series]), "value": samples.field("value"), "start": _start(samples)}
    )


def _exemplars(requests: Requests, ids: Ints, good: Mask) -> pa.Table:
    kept = np.flatnonzero(good[requests.exemplar_series])
    exemplars = requests.exemplars.take(pa.array(kept))
    return pa.table(
        {
            **_place(exemplars, ids[requests.exemplar_series[kept]]),
            "value": exemplars.field("value"),
            "labels": requests.exemplar_labels.texts().take(pa.array(kept)),
        }
    )


def _place(points: pa.StructArray, series: Ints) -> dict[str, pa.Array]:
    return {"sid": pa.array(series), "ts": points.field("timestamp").cast(TIME)}


def _start(points: pa.StructArray) -> pa.Int64Array:
    """When the counter began, null when not told; version 1.0 never tells."""
    if points.type.get_field_index("start_timestamp") < 0:
        return pa.nulls(len(points), pa.int64())
    starts = points.field("start_timestamp").to_numpy()
    return pa.array(starts, mask=starts == 0)


def _metadata(rows: pa.StructArray) -> pa.Table:
    numbers = rows.field("type").to_numpy()
    known = np.where((numbers > 0) & (numbers < len(METRIC_TYPES)), numbers, 0)
    texts = {
        name: [raw.decode(errors="replace") for raw in rows.field(name).to_pylist()]
        for name in ("name", "help", "unit")
    }
    table = {"name": texts["name"], "type": [METRIC_TYPES[n] for n in known], "help": texts["help"]}
    return pa.table(
        {**table, "unit": texts["unit"]}, schema=pa.schema([(n, pa.string()) for n in (*table, "unit")])
    )
