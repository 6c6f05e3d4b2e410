"""``/federate``: the newest sample of each series, for another Prometheus to scrape."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from fastapi import APIRouter, Request, Response

from query.limits import MAX_ROWS, Limits
from query.prometheus import params
from query.prometheus.requests import Form, Requests
from query.prometheus.store import MetricStore
from query.promql.ast import Matcher
from query.promql.context import EngineOptions
from query.promql.histograms.numbers import general
from query.promql.labelsets import NAME, name_of
from query.promql.series import Labels
from vigla.clock import Clock
from vigla.prometheus.regex import utf8
from vigla.prometheus.staleness import STALE_BITS
from vigla.storage.api import QueryContext

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
NS_PER_MS, MS_PER_S = 1_000_000, 1000
_ODD = re.compile(r"[^a-zA-Z0-9_:]")
_ODD_LABEL = re.compile(r"[^a-zA-Z0-9_]")
Sample = tuple[int, float]


def router(store: MetricStore, limits: Limits, clock: Clock) -> APIRouter:
    """The route.

    Args:
        store: of the series.
        limits: bounds of every query.
        clock: says what is new.
    """
    routes = APIRouter(include_in_schema=False)
    requests = Requests(limits)

    @routes.get("/federate")
    async def federate(request: Request) -> Response:
        openmetrics = "application/openmetrics-text" in request.headers.get("accept", "")
        now = clock.now_ns() // NS_PER_MS

        def work(form: Form, context: QueryContext) -> Response:
            found = _newest(store, params.selectors(form.get("match[]", ())), now, context)
            text = "".join(_page(found, openmetrics=openmetrics))
            return Response(text, media_type=OPENMETRICS if openmetrics else TEXT)

        return await requests.answered(request, work)

    return routes


def _newest(
    store: MetricStore, selectors: Sequence[Sequence[Matcher]], now: int, context: QueryContext
) -> dict[Labels, Sample]:
    """Of the lookback; native histograms have no text form and are left out."""
    found: dict[Labels, Sample] = {}
    start = now - EngineOptions().lookback_ms + 1
    for matchers in selectors:
        batch = store.select(matchers, start, now, max_samples=MAX_ROWS * 50, stop=context.stop)
        ends = batch.offsets[1:] - 1
        kept = batch.values[ends].view(np.uint64) != STALE_BITS
        if batch.histograms is not None:
            kept &= np.array([histogram is None for histogram in batch.histograms[ends]], bool)
        for number in np.flatnonzero(kept).tolist():
            at = ends[number]
            found[batch.labels[number]] = (int(batch.times[at]), float(batch.values[at]))
    return found


def _page(found: dict[Labels, Sample], *, openmetrics: bool) -> Iterator[str]:
    """Every family is untyped: a sample of a family is not all of it."""
    kind, last = "unknown" if openmetrics else "untyped", None
    for labels, (time, value) in sorted(found.items(), key=lambda item: (name_of(item[0]), item[0])):
        name = _ODD.sub("_", utf8(name_of(labels)))
        if not name:
            continue
        if name != last:
            yield f"# TYPE {name} {kind}\n"
        last = name
        at = f"{time / MS_PER_S:.3f}" if openmetrics else str(time)
        yield f"{name}{_labels(labels)} {general(value)} {at}\n"
    if openmetrics:
        yield "# EOF\n"


def _labels(labels: Labels) -> str:
    """With an empty ``instance`` where there is none, so that the scraper does not put its own there."""
    pairs = [(name, value) for name, value in labels if name != NAME]
    if all(name != "instance" for name, _ in pairs):
        pairs.append(("instance", ""))
    texts = (f'{_ODD_LABEL.sub("_", utf8(name))}="{_escaped(utf8(value))}"' for name, value in pairs)
    return "{" + ",".join(texts) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
