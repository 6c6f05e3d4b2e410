"""Explaining a request: its hops in order, with the configuration that decided them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest
from fastapi import FastAPI

from query.server import create_app
from tests.wire.access_log_messages import START_S, http_entries, identified
from vigla.clock import SystemClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import QuerySettings
from vigla.storage.memory import MemoryStore
from vigla.telemetry.metrics import Metrics
from vigla.wire.access_logs.admit import admit
from vigla.wire.access_logs.decode import AccessLogDecoder

RANGE = {"start": START_S * 10**6, "end": (START_S + 60) * 10**6}
TRACE = "0af7651916cd43dd8448eb211c80319c"
CONFIG = "/apis/networking.istio.io/v1/namespaces/shop/"


@pytest.fixture(scope="module")
def http(serving: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[httpx.Client]:
    store = MemoryStore(DEFAULT_PROMOTED)
    message = http_entries(0, 3, into=identified("sidecar~1"))
    for entry, reporter in zip(message.http_logs.log_entry, ("source", "destination", "source"), strict=True):
        tags = entry.common_properties.custom_tags
        tags["reporter"] = reporter
        tags["trace_id"] = TRACE
    entry = message.http_logs.log_entry[0]
    entry.common_properties.response_flags.fault_injected = True
    tags = entry.common_properties.custom_tags
    tags["virtual_service"] = f"{CONFIG}virtual-service/cart"
    tags["rule"] = "http[2]"
    tags["rule_source"] = "cart.yaml:17"
    tags["destination_rule"] = f"{CONFIG}destination-rule/cart"
    rows = AccessLogDecoder().decode([admit(message.SerializeToString(), b"").record])
    store.buffer({"access_logs": rows}, {})
    app = create_app(store, DEFAULT_PROMOTED, QuerySettings(), Metrics(), SystemClock())
    with serving(app) as url, httpx.Client(base_url=url) as client:
        yield client
    store.close()


def explained(http: httpx.Client, given: str) -> list[dict[str, object]]:
    answer = http.get(f"/api/vigla/v1/explain/{given}", params=RANGE)
    assert answer.status_code == 200, answer.text
    hops: list[dict[str, object]] = answer.json()["hops"]
    return hops


def test_a_trace_has_all_hops_in_the_order_of_their_start(http: httpx.Client) -> None:
    hops = explained(http, TRACE)
    assert [hop["reporter"] for hop in hops] == ["source", "destination", "source"]
    assert [hop["ts"] for hop in hops] == sorted(str(hop["ts"]) for hop in hops)


def test_a_request_id_is_understood_too(http: httpx.Client) -> None:
    assert len(explained(http, "r1")) == 1


def test_a_hop_names_what_decided_it(http: httpx.Client) -> None:
    (hop,) = explained(http, "r0")
    decided = hop["decided_by"]
    assert isinstance(decided, dict)
    assert decided["virtual_service"] == "virtual-service shop/cart"
    assert (decided["rule"], decided["source"]) == ("http[2]", "cart.yaml:17")
    assert decided["destination_rule"] == "destination-rule shop/cart"
    assert decided["fault"] == "abort"
    assert {"flag": "FI", "meaning": "the request was aborted by an injected fault"} in hop["flags"]  # type: ignore[operator]


def test_unknown_requests_have_no_hops(http: httpx.Client) -> None:
    assert explained(http, "f" * 32) == explained(http, "none") == []
