"""``/api/v1/status/self_metrics``: the server's own metrics as JSON.

Source: Prometheus' HTTP API; each family is ``io.prometheus.client.MetricFamily`` in ProtoJSON.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from query.limits import Limits
from query.prometheus import answers
from query.prometheus.requests import Form, Requests, one
from vigla.errors import QueryError
from vigla.prometheus.regex import RegexError, compile_regex
from vigla.storage.api import QueryContext

Json = dict[str, Any]


def router(registry: CollectorRegistry, limits: Limits) -> APIRouter:
    """The route.

    Args:
        registry: of this process.
        limits: bounds of every query.
    """
    routes, requests = APIRouter(prefix="/api/v1", include_in_schema=False), Requests(limits)

    def work(form: Form, _context: QueryContext) -> Response:
        return answers.json(families(registry, one(form, "metric_name_pattern") or ".*"))

    @routes.get("/status/self_metrics")
    async def self_metrics(request: Request) -> Response:
        return await requests.answered(request, work)

    return routes


def families(registry: CollectorRegistry, pattern: str) -> list[Json]:
    """Metrics whose whole name matches.

    Raises:
        QueryError: the pattern is no RE2.
    """
    try:
        wanted = compile_regex(pattern)
    except RegexError as error:
        raise QueryError(f'invalid parameter "metric_name_pattern": {error}') from error
    return [
        {"name": _name(metric), "help": metric.documentation, "type": metric.type.upper(), "metric": found}
        for metric in registry.collect()
        if metric.type in _KINDS and wanted.fullmatch(_name(metric)) and (found := _metrics(metric))
    ]


def _name(metric: Metric) -> str:
    """The library leaves ``_total`` away."""
    return metric.name + ("_total" if metric.type == "counter" else "")


def _metrics(metric: Metric) -> list[Json]:
    """One for each label set, of which a histogram has several samples in sequence."""
    made = []
    for labels, samples in groupby(_data(metric), _own_labels):
        value = _KINDS[metric.type](metric.name, list(samples))
        pairs = [{"name": name, "value": text} for name, text in labels]
        made.append({"label": pairs} | value if pairs else value)
    return made


def _data(metric: Metric) -> list[Sample]:
    return [sample for sample in metric.samples if not sample.name.endswith("_created")]


def _own_labels(sample: Sample) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))


def _histogram(name: str, samples: Sequence[Sample]) -> Json:
    buckets = [
        {
            "cumulativeCount": str(int(sample.value)),
            "upperBound": _number(float(sample.labels["le"])),
        }
        for sample in samples
        if sample.name == f"{name}_bucket"
    ]
    (total,) = (sample.value for sample in samples if sample.name == f"{name}_sum")
    count = buckets[-1]["cumulativeCount"]
    return {"histogram": {"sampleCount": count, "sampleSum": _number(total), "bucket": buckets}}


def _single(kind: str) -> Callable[[str, Sequence[Sample]], Json]:
    return lambda _name, samples: {kind: {"value": _number(samples[0].value)}}


def _number(value: float) -> float | str:
    """ProtoJSON has words for what JSON cannot write."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


_KINDS: Mapping[str, Callable[[str, Sequence[Sample]], Json]] = {
    "counter": _single("counter"),
    "gauge": _single("gauge"),
    "histogram": _histogram,
}
