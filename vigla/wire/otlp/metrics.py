"""OTLP metric payloads to the columns of ``vigla.model.samples``, without a Python loop over data points.

Points become the columns that remote write requests have too, so that both go one way from there. Source:
``opentelemetry/proto/metrics/v1/metrics.proto``; for names and labels see ``metric_names``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from vigla.errors import BadInput
from vigla.wire.otlp import descriptors, metric_blocks, target_info
from vigla.wire.otlp.buffers import owners_of
from vigla.wire.otlp.label_rows import Ints, LabelRows, Texts, attributes, constant, joined
from vigla.wire.otlp.metric_blocks import NO_RECORDED_VALUE, Block, Points, milliseconds
from vigla.wire.otlp.metric_names import Kind, Strategy, metric_name, unit_name
from vigla.wire.otlp.metric_requests import RequestParts
from vigla.wire.otlp.spans import chunks
from vigla.wire.remote_write.decode import Decoded, decoded
from vigla.wire.remote_write.descriptors import METRIC_TYPES, MetricType

DELTA = 1
KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
_TYPES: dict[str, MetricType] = {
    "gauge": "gauge",
    "histogram": "histogram",
    "exponential_histogram": "histogram",
    "summary": "summary",
}


def _raw(message: str, field: FieldDescriptorProto) -> descriptors.Change:
    """Leave the attributes of exemplars as bytes, too."""
    return "bytes" if field.name == "filtered_attributes" else descriptors.raw_attributes(message, field)


_REQUESTS = descriptors.handler(_raw, descriptors.METRICS_REQUEST)


@dataclass(frozen=True, slots=True)
class DecodedMetrics:
    """Rows of some payloads.

    Attributes:
        cumulative: fit to be stored.
        deltas: whose values are changes since the point before; None without such.
    """

    cumulative: Decoded
    deltas: Decoded | None


class MetricDecoder:
    """Decodes metric payloads. Has no state, so any thread may call it.

    Args:
        strategy: how names are translated.
    """

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy

    def decode(self, payloads: Sequence[bytes]) -> list[DecodedMetrics]:
        """Decode serialised ``ExportMetricsServiceRequest`` messages that ``admit`` let pass.

        Raises:
            BadInput: a payload does not parse; none of them is decoded.
        """
        made = []
        for chunk in chunks(payloads):
            try:
                batch = _REQUESTS.list_to_record_batch(chunk)
            except ValueError as error:
                raise BadInput(f"payload is no ExportMetricsServiceRequest: {error}") from error
            made.append(_Batch(batch, self._strategy).decoded())
        return made


class _Batch:
    """The metrics of some payloads; M metrics of R resources."""

    def __init__(self, batch: pa.RecordBatch, strategy: Strategy) -> None:
        self._strategy = strategy
        self._texts = Texts()
        self._texts.code(metric_blocks.NAME)
        resources = batch.column(0).flatten()
        scopes = resources.field("scope_metrics")
        lists = scopes.flatten().field("metrics")
        self._metrics = lists.flatten()
        self._resource_of = owners_of(scopes)[owners_of(lists)]
        self._resources = target_info.resources(resources.field("resource"), strategy)

    def decoded(self) -> DecodedMetrics:
        """All of it."""
        made: dict[bool, RequestParts] = {False: RequestParts(self._texts), True: RequestParts(self._texts)}
        newest = np.zeros(len(self._resources), np.int64)
        oldest = np.full(len(self._resources), np.iinfo(np.int64).max)
        for kind in KINDS:
            points = self._points(kind)
            if points is None:
                continue
            owners = self._resource_of[points.metrics]
            np.maximum.at(newest, owners, points.times)
            np.minimum.at(oldest, owners, points.times)
            self._take(kind, points, made)
        targets = target_info.block(self._resources, oldest, newest, self._texts)
        if targets is not None:
            made[False].add(targets, np.ones(len(targets.points), bool), None)
        metadata = self._metadata()
        deltas = made[True]
        return DecodedMetrics(
            decoded(made[False].requests(metadata)),
            decoded(deltas.requests(metadata[:0])) if deltas.sets else None,
        )

    def _points(self, kind: str) -> Points | None:
        lists = self._metrics.field(kind).field("data_points")
        data = lists.flatten()
        if not len(data):
            return None
        metrics = owners_of(lists)
        flags = data.field("flags").to_numpy()
        return Points(
            data,
            metrics,
            self._base(data, metrics),
            milliseconds(data.field("time_unix_nano")),
            milliseconds(data.field("start_time_unix_nano")),
            (flags & NO_RECORDED_VALUE) > 0,
            self._named,
        )

    def _base(self, data: pa.StructArray, metrics: Ints) -> LabelRows:
        """Attributes, and ``job`` and ``instance`` of the resource, which go before attributes."""
        rows = attributes(data.field("attributes"), self._texts, self._strategy)
        every = np.arange(len(data))
        owners = self._resource_of[metrics]
        rows = rows.without(1, np.ones(len(data), bool))
        parts = []
        own = {
            "job": [each.job for each in self._resources],
            "instance": [each.instance for each in self._resources],
        }
        for name, texts in own.items():
            code = self._texts.code(name)
            values = self._texts.codes(texts)[owners]
            rows = rows.without(code, values > 0)
            parts.append(constant(every, code, values))
        return joined([rows, *parts])

    def _take(self, kind: str, points: Points, made: "dict[bool, RequestParts]") -> None:
        blocks = self._blocks(kind, points)
        delta = np.zeros(len(self._metrics), bool)
        if kind not in {"gauge", "summary"}:
            delta = self._metrics.field(kind).field("aggregation_temporality").to_numpy() == DELTA
        found = None
        if kind != "summary":
            found = metric_blocks.exemplars(points.data.field("exemplars"), self._texts, self._strategy)
        for is_delta, parts in made.items():
            wanted = delta[points.metrics] == is_delta
            for number, block in enumerate(blocks):
                last = number == len(blocks) - 1
                parts.add(block, wanted[block.points], found if last else None)

    def _blocks(self, kind: str, points: Points) -> list[Block]:
        match kind:
            case "histogram":
                return metric_blocks.histograms(points, self._texts)
            case "summary":
                return metric_blocks.summaries(points, self._texts)
            case "exponential_histogram":
                return metric_blocks.exponentials(points)
        return metric_blocks.numbers(points)

    @cached_property
    def _distinct(self) -> tuple[list[tuple[str, str, str, bool, str]], Ints]:
        """Name, unit, kind, whether monotonic, description: the distinct ones, and which each metric has."""
        columns = [self._metrics.field(name).dictionary_encode() for name in ("name", "unit", "description")]
        codes = [column.indices.to_numpy().astype(np.int64) for column in columns]
        kinds = np.zeros(len(self._metrics), np.int64)
        for number, kind in enumerate(KINDS):
            kinds[self._metrics.field(kind).is_valid().to_numpy(zero_copy_only=False)] = number
        monotonic = self._metrics.field("sum").field("is_monotonic").to_numpy(zero_copy_only=False)
        rows = np.stack([codes[0], codes[1], kinds, monotonic.astype(np.int64), codes[2]], axis=1)
        distinct, places = np.unique(rows, axis=0, return_inverse=True)
        names, units, helps = (column.dictionary.to_pylist() for column in columns)
        found = [
            (names[name], units[unit], KINDS[kind], bool(rises), helps[help_])
            for name, unit, kind, rises, help_ in distinct.tolist()
        ]
        return found, places.reshape(-1)

    def _named(self, suffix: str) -> Ints:
        found, places = self._distinct
        made = [_translated(*each[:4], self._strategy) for each in found]
        return self._texts.codes([name + suffix if name else "" for name in made])[places]

    def _metadata(self) -> pa.StructArray:
        """Of each metric once."""
        rows = {}
        for name, unit, kind, rises, text in self._distinct[0]:
            translated = _translated(name, unit, kind, rises, self._strategy)
            if translated:
                number = METRIC_TYPES.index(_TYPES.get(kind, "counter" if rises else "gauge"))
                rows[translated] = (number, translated.encode(), text.encode(), unit_name(unit).encode())
        columns = list(zip(*rows.values(), strict=True)) or [()] * 4
        kinds = [pa.int32(), pa.binary(), pa.binary(), pa.binary()]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        return pa.StructArray.from_arrays(arrays, ["type", "name", "help", "unit"])


def _translated(name: str, unit: str, kind: str, rises: bool, strategy: Strategy) -> str:  # noqa: FBT001
    known: Kind = "other"
    if kind == "gauge":
        known = "gauge"
    elif kind == "sum" and rises:
        known = "counter"
    return metric_name(name, unit, known, strategy)
