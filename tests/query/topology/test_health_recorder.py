"""Health as samples that PromQL reads."""

import asyncio

from ingester.series import SeriesLog
from query.promql.lake import LakeSeries
from query.promql.memory import MemorySeries
from query.topology.configuration import NoConfiguration
from query.topology.health_recorder import HealthRecorder
from query.topology.telemetry import Metrics
from tests.contracts.rows import upto
from tests.query.topology.test_measured import T, put
from vigla.clock import FakeClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import HealthRule, HealthSettings, Tolerance
from vigla.storage.api import Stop
from vigla.storage.memory import MemoryStore
from vigla.wire.remote_write.admit import admit
from vigla.wire.remote_write.decode import RemoteWriteDecoder


def recorded(source: MemorySeries, settings: HealthSettings) -> dict[str, float]:
    """What PromQL says afterwards, by ``kind/name``."""
    clock, store = FakeClock(T * 1_000_000_000), MemoryStore(DEFAULT_PROMOTED)

    async def write(body: bytes) -> None:
        decoded = RemoteWriteDecoder().decode([admit("1", body, T * 1000).record])
        store.buffer(SeriesLog(clock).tables(decoded, 0), upto(store, remote_write=1))

    asyncio.run(HealthRecorder(source, settings, NoConfiguration(), write, clock).record())
    found = {}
    for labels, value in Metrics(LakeSeries(store), T, Stop()).vector(
        'vigla_health_status{namespace="shop"}'
    ):
        ((kind, name),) = ((k, v) for k, v in labels.items() if k in {"app", "service", "workload"})
        found[f"{kind}/{name}"] = value
    store.close()
    return found


def test_failing_calls() -> None:
    source = MemorySeries()
    put(source, "istio_requests_total", 9.0)
    put(source, "istio_requests_total", 1.0, response_code="500")
    assert recorded(source, HealthSettings()) == {
        "service/cart": 3.0,
        "workload/cart": 3.0,
        "workload/web": 3.0,
    }


def test_slow_calls() -> None:
    source = MemorySeries()
    put(source, "istio_requests_total", 1.0)
    for bound, rate in (("10", 0.0), ("100", 1.0), ("+Inf", 1.0)):
        put(source, "istio_request_duration_milliseconds_bucket", rate, le=bound)
    assert recorded(source, HealthSettings(p95_ms=50)) == {
        "service/cart": 2.0,
        "workload/cart": 2.0,
        "workload/web": 0.0,
    }


def test_without_calls_nothing_is_written() -> None:
    assert recorded(MemorySeries(), HealthSettings()) == {}


def test_rules_of_some_objects() -> None:
    source = MemorySeries()
    put(source, "istio_requests_total", 9.0)
    put(source, "istio_requests_total", 1.0, response_code="500")
    for bound, rate in (("10", 0.0), ("100", 1.0), ("+Inf", 1.0)):
        put(source, "istio_request_duration_milliseconds_bucket", rate, le=bound)
    mild = Tolerance(code="5..", protocol="http", degraded=50, failure=80)
    rules = (
        HealthRule(kind="workload", name="cart", tolerances=(mild,)),
        HealthRule(kind="service", tolerances=(mild,), p95_ms=50),
    )
    assert recorded(source, HealthSettings(rules=rules)) == {
        "service/cart": 2.0,  # slow
        "workload/cart": 0.0,
        "workload/web": 3.0,
    }
