"""The trim operators: ``h </ x`` keeps the observations below ``x``, ``h >/ x`` those above."""

import math
from dataclasses import dataclass, replace

import numpy as np

from query.promql.histogram import Buckets, Histogram
from query.promql.histograms.layout import BucketTable, Floats, bucket_table, is_custom, trimmed
from query.promql.histograms.quantiles import Bucket, assumed_bucket


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is left of one bucket; ``bucket`` has the bounds of the remainder."""

    bucket: Bucket
    cut: bool


def trim_above(histogram: Histogram, limit: float) -> Histogram:
    """``histogram </ limit``: only observations up to ``limit``; +Inf keeps all."""
    return histogram if limit == math.inf else _trimmed(histogram, limit, below=True)


def trim_below(histogram: Histogram, limit: float) -> Histogram:
    """``histogram >/ limit``: only observations above ``limit``; -Inf keeps all."""
    return histogram if limit == -math.inf else _trimmed(histogram, limit, below=False)


def _trimmed(histogram: Histogram, limit: float, *, below: bool) -> Histogram:
    table = bucket_table(histogram)
    kept = [
        _remainder(assumed_bucket(histogram, table, index), limit, below=below, edge=_edge(table, index))
        for index in range(len(table.counts))
    ]
    if not any(part.cut and table.counts[index] for index, part in enumerate(kept)):
        return histogram
    counts = np.array([part.bucket.count for part in kept])
    total = sum(part.bucket.count * _middle(part.bucket) for part in kept if part.bucket.count)
    return _with_counts(replace(histogram, count=float(counts.sum()), sum=float(total)), table, counts)


def _edge(table: BucketTable, index: int) -> bool:
    """Whether the bucket is a first one whose stored lower bound is -Inf."""
    return bool(np.isneginf(table.lower[index]))


def _remainder(bucket: Bucket, limit: float, *, below: bool, edge: bool) -> _Kept:
    if math.isnan(limit):
        return _empty(bucket)
    if bucket.linear and math.isinf(bucket.upper):
        return _overflow(bucket, limit, below=below, edge=edge)
    if bucket.linear and math.isinf(bucket.lower):
        return _underflow(bucket, limit, below=below)
    if bucket.lower < limit < bucket.upper:
        return _inside(bucket, limit, below=below)
    # Where observations of a first custom bucket are below its assumed bound of 0 is not known.
    above_lost = limit >= bucket.upper or (edge and limit < bucket.lower)
    lost = limit <= bucket.lower if below else above_lost
    return _empty(bucket) if lost else _Kept(bucket, cut=False)


def _inside(bucket: Bucket, limit: float, *, below: bool) -> _Kept:
    share = bucket.share_below(limit)
    if below:
        return _Kept(replace(bucket, upper=limit, count=bucket.count * share), cut=True)
    return _Kept(replace(bucket, lower=limit, count=bucket.count * (1 - share)), cut=True)


def _overflow(bucket: Bucket, limit: float, *, below: bool, edge: bool) -> _Kept:
    """The custom bucket up to +Inf; its observations count as just above the lower bound or the limit."""
    if below or edge or limit == math.inf:
        return _empty(bucket)
    if limit <= bucket.lower:
        return _Kept(bucket, cut=False)
    return _Kept(replace(bucket, lower=limit), cut=True)


def _underflow(bucket: Bucket, limit: float, *, below: bool) -> _Kept:
    """The custom bucket from -Inf to a bound of at most 0; all at that bound or the limit."""
    if not below or limit == -math.inf:
        return _empty(bucket)
    if limit >= bucket.upper:
        return _Kept(bucket, cut=False)
    return _Kept(replace(bucket, upper=limit), cut=True)


def _empty(bucket: Bucket) -> _Kept:
    return _Kept(replace(bucket, count=0.0), cut=True)


def _middle(bucket: Bucket) -> float:
    if math.isinf(bucket.lower):
        return bucket.upper
    if math.isinf(bucket.upper):
        return bucket.lower
    if bucket.linear:
        return (bucket.lower + bucket.upper) / 2
    middle = math.sqrt(abs(bucket.lower)) * math.sqrt(abs(bucket.upper))
    return middle if bucket.lower > 0 else -middle


def _with_counts(histogram: Histogram, table: BucketTable, counts: Floats) -> Histogram:
    """Put the counts of the table back into the histogram's sides."""
    if is_custom(histogram):
        return replace(histogram, positive=trimmed(Buckets(histogram.positive.first, counts)))
    negatives = len(histogram.negative.counts)
    positives = counts[negatives + (table.zero >= 0) :]
    return replace(
        histogram,
        zero_count=float(counts[table.zero]) if table.zero >= 0 else 0.0,
        negative=trimmed(Buckets(histogram.negative.first, counts[:negatives][::-1])),
        positive=trimmed(Buckets(histogram.positive.first, positives)),
    )
