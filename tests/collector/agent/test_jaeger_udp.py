"""Jaeger's own client and datagrams of Thrift's own library arrive as OTLP; garbage is counted."""

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.agent.conftest import StartAgent
from tests.collector.conftest import StartCollector
from tests.wire.jaeger_batches import batch, message

SENDER = Path(__file__).with_name("jaeger_sender.py")
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]


def spans(payloads: list[bytes]) -> dict[str, Any]:
    requests = [ExportTraceServiceRequest.FromString(payload) for payload in payloads]
    return {
        span.name: (entry.resource, span)
        for request in requests
        for entry in request.resource_spans
        for scope in entry.scope_spans
        for span in scope.spans
    }


def values(attributes: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}


async def test_jaegers_python_client_is_sampled_by_the_agent_and_its_spans_arrive(
    start_agent: StartAgent, start_collector: StartCollector, eventually: Eventually, tmp_path: Path
) -> None:
    strategies = tmp_path / "strategies.json"
    strategies.write_text('{"service_strategies": [{"service": "jaeger-shop", "param": 1}]}')
    collector = await start_collector(sampling_strategies=str(strategies))
    agent = await start_agent(str(collector.http.base_url))
    ports = map(str, (agent.ports.jaeger_compact, agent.ports.sampling))
    client = await asyncio.create_subprocess_exec(
        sys.executable, SENDER, *ports, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await client.communicate()
    ids = json.loads(output)
    await eventually(lambda: {"checkout", "charge"} <= spans(collector.kept()).keys())
    resource, root = spans(collector.kept())["checkout"]
    _, child = spans(collector.kept())["charge"]
    described = values(resource.attributes)
    assert (described["service.name"], described["region"]) == ("jaeger-shop", "eu")
    assert (root.trace_id.hex(), root.span_id.hex()) == (ids["trace"], ids["root"])
    assert (root.kind, child.kind) == (root.SPAN_KIND_SERVER, root.SPAN_KIND_CLIENT)
    assert root.status.code == root.status.STATUS_CODE_ERROR
    assert (child.trace_id, child.parent_span_id) == (root.trace_id, root.span_id)
    assert {"retry": True, "attempt": 3, "ratio": 0.25}.items() <= values(child.attributes).items()
    (event,) = child.events
    assert (event.name, values(event.attributes)) == ("paid", {"amount": 7})


async def test_both_protocols_arrive_and_garbage_is_counted(
    start_agent: StartAgent, start_collector: StartCollector, eventually: Eventually
) -> None:
    collector = await start_collector()
    agent = await start_agent(str(collector.http.base_url))
    ports = {"compact": agent.ports.jaeger_compact, "binary": agent.ports.jaeger_binary}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for protocol, port in ports.items():
            for data in (b"", b"\x00" * 40, message(protocol, batch(name=protocol))):
                sender.sendto(data, ("127.0.0.1", port))
    await eventually(lambda: spans(collector.kept()).keys() == ports.keys())
    for protocol in ports:
        dropped = agent.count("agent_datagrams_dropped_total", protocol=protocol, reason="invalid")
        assert dropped == 2
    assert agent.count("collector_accepted_total", signal="traces", transport="udp") == 2


async def test_datagrams_that_find_the_spool_full_are_counted(
    start_agent: StartAgent, eventually: Eventually
) -> None:
    agent = await start_agent("http://127.0.0.1:9", agent={"spool_bytes": 400})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(5):
            sender.sendto(
                message("compact", batch(name="x" * 200)), ("127.0.0.1", agent.ports.jaeger_compact)
            )
    dropped = {"protocol": "compact", "reason": "overload"}
    await eventually(lambda: agent.count("agent_datagrams_dropped_total", **dropped) >= 3)
