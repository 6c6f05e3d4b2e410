"""The streams of a metrics request: what becomes series, counted without making them.

A stream is a metric of a resource with one set of attributes (data model of OpenTelemetry metrics,
"Timeseries Model").
"""

from typing import Any

import numpy as np
import pyarrow as pa
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from vigla.wire.otlp import descriptors, target_info
from vigla.wire.otlp.buffers import offsets_of, owners_of
from vigla.wire.series_limit import Ints, Mask, Series
from vigla.wire.text_hash import Hashes, hashes, mixed

KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
_POINT = ("attributes",)
_DATA = ("data_points",)
_READ = {
    "ExportMetricsServiceRequest": ("resource_metrics",),
    "ResourceMetrics": ("resource", "scope_metrics"),
    "Resource": ("attributes",),
    "ScopeMetrics": ("metrics",),
    "Metric": ("name", *KINDS),
    "Gauge": _DATA,
    "Sum": _DATA,
    "Histogram": _DATA,
    "ExponentialHistogram": _DATA,
    "Summary": _DATA,
    "NumberDataPoint": _POINT,
    "HistogramDataPoint": (*_POINT, "bucket_counts"),
    "ExponentialHistogramDataPoint": _POINT,
    "SummaryDataPoint": (*_POINT, "quantile_values"),
    "ValueAtQuantile": ("quantile",),
}
_SUM_AND_COUNT = 2


def _identity(message: str, field: FieldDescriptorProto) -> descriptors.Change:
    if field.name not in _READ.get(message, ()):
        return "drop"
    return "bytes" if field.name == "attributes" else "keep"


_REQUESTS = descriptors.handler(_identity, descriptors.METRICS_REQUEST)


def streams(payload: bytes) -> Series:
    """One entry for each data point, in the order of the request.

    Args:
        payload: serialised ``ExportMetricsServiceRequest`` that parses.
    """
    resources = _REQUESTS.list_to_record_batch([payload]).column(0).flatten()
    scopes = resources.field("scope_metrics")
    lists = scopes.flatten().field("metrics")
    metrics = lists.flatten()
    resource_of = owners_of(scopes)[owners_of(lists)]
    known = target_info.resources(resources.field("resource"), "UnderscoreEscapingWithSuffixes")
    jobs, job_of = _distinct([each.job.encode() for each in known])
    instances = hashes(pa.array([each.instance.encode() for each in known], pa.binary()))
    owner_hashes = mixed(hashes(jobs)[job_of] + mixed(instances))[resource_of]
    names = mixed(owner_hashes ^ hashes(metrics.field("name").cast(pa.binary())))
    owners, points, sizes = (np.concatenate(parts) for parts in zip(*map(_of(metrics), KINDS), strict=True))
    order = np.argsort(owners, kind="stable")
    owners = owners[order]
    ids = mixed(names[owners] + points[order]).view(np.int64)
    return Series(ids, job_of[resource_of[owners]], jobs, sizes[order])


def without(request: Any, refused: Mask) -> None:
    """Remove data points.

    Args:
        request: ``ExportMetricsServiceRequest``.
        refused: of each data point, in the order of the request.
    """
    first = 0
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                if kind is None:
                    continue
                points = getattr(metric, kind).data_points
                kept = [point for point, bad in zip(points, refused[first:], strict=False) if not bad]
                first += len(points)
                if len(kept) < len(points):
                    del points[:]
                    points.extend(kept)


def _distinct(texts: list[bytes]) -> tuple[pa.BinaryArray, Ints]:
    encoded = pa.array(texts, pa.binary()).dictionary_encode()
    return encoded.dictionary, encoded.indices.to_numpy().astype(np.int64)


def _of(metrics: pa.StructArray) -> Any:
    def of_kind(kind: str) -> tuple[Ints, Hashes, Ints]:
        """Metric, hash of the attributes and number of series of each point."""
        lists = metrics.field(kind).field("data_points")
        data = lists.flatten()
        sizes = np.ones(len(data), np.int64)
        if kind == "histogram":
            sizes = np.maximum(_lengths(data.field("bucket_counts")), 1) + _SUM_AND_COUNT
        elif kind == "summary":
            sizes = _lengths(data.field("quantile_values")) + _SUM_AND_COUNT
        return owners_of(lists), _sets(data.field("attributes")), sizes

    return of_kind


def _lengths(lists: pa.ListArray) -> Ints:
    return np.diff(offsets_of(lists)).astype(np.int64)


def _sets(lists: pa.ListArray) -> Hashes:
    """The same for the same attributes in any order."""
    each = mixed(hashes(lists.flatten()))
    sums = np.cumsum(np.append(np.uint64(0), each), dtype=np.uint64)
    offsets = offsets_of(lists)
    ends = offsets - offsets[0]
    return mixed(sums[ends[1:]] - sums[ends[:-1]])
