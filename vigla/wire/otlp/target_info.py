"""Resources as Prometheus sees them: ``job``, ``instance``, and ``target_info`` with what else they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from vigla.wire.otlp import label_values
from vigla.wire.otlp.label_rows import Ints, LabelRows, Texts
from vigla.wire.otlp.metric_blocks import NAME, Block
from vigla.wire.otlp.metric_names import Strategy, label_name

SERVICE, NAMESPACE, INSTANCE = "service.name", "service.namespace", "service.instance.id"
STEP_MS = 150_000
"""Half the lookback delta: so close together are samples of ``target_info``, for no query to miss it."""

_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource.

    Attributes:
        job: service with its namespace before it; may be empty.
        instance: may be empty.
        others: labels of the other attributes, for ``target_info``.
    """

    job: str
    instance: str
    others: tuple[tuple[str, str], ...]


def resources(structs: pa.StructArray, strategy: Strategy) -> list[Resource]:
    """Of each entry of a payload; many entries have the same resource."""
    return [_resource(tuple(raw or ()), strategy) for raw in structs.field("attributes").to_pylist()]


@lru_cache(_CACHED)
def _resource(raw: tuple[bytes, ...], strategy: Strategy) -> Resource:
    found = dict(map(label_values.pair, raw))
    service, namespace = found.pop(SERVICE, ""), found.pop(NAMESPACE, "")
    job = f"{namespace}/{service}" if service and namespace else service
    instance = found.pop(INSTANCE, "")
    others: dict[str, list[str]] = {}
    for key, value in sorted(found.items()):
        name = label_name(key, strategy)
        if name and name not in {"job", "instance", NAME}:
            others.setdefault(name, []).append(value)
    return Resource(job, instance, tuple((name, ";".join(values)) for name, values in others.items()))


def block(found: Sequence[Resource], oldest: Ints, newest: Ints, texts: Texts) -> Block | None:
    """Samples of ``target_info`` over the time of each resource's points; None where there are none."""
    labels: list[tuple[int, int, int]] = []
    times: list[int] = []
    for resource, first, last in zip(found, oldest.tolist(), newest.tolist(), strict=True):
        if first > last or not resource.others or not (resource.job or resource.instance):
            continue
        pairs = (
            (NAME, "target_info"),
            ("job", resource.job),
            ("instance", resource.instance),
            *resource.others,
        )
        codes = [(texts.code(name), texts.code(value)) for name, value in pairs]
        for time in (*range(first, last, STEP_MS), last):
            labels += [(len(times), name, value) for name, value in codes]
            times.append(time)
    if not times:
        return None
    owners, names, values = np.array(labels, np.int64).T
    count = len(times)
    return Block(
        LabelRows(owners, names, values),
        np.arange(count),
        np.array(times, np.int64),
        np.zeros(count, np.int64),
        np.ones(count),
    )
