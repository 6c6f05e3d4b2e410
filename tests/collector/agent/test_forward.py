"""What an agent answered for reaches the collector: in order, retried, set aside if refused for good."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc.aio
import httpx
import pytest
from fastapi import FastAPI, Request, Response
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.agent.conftest import StartAgent
from tests.collector.conftest import METHODS, StartCollector
from tests.wire.remote_write_messages import packed, request_v1, request_v2
from vigla.listen import HttpServer, bind

ACCESS_LOGS = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs"
V1, V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
UP = ({"__name__": "up", "job": "a"}, [(1, 1.0)])
PROTOBUF = {"content-type": "application/x-protobuf"}
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]


def traces(name: str) -> bytes:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(
        name=name, trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=1, end_time_unix_nano=2
    )
    return request.SerializeToString()


def names(payloads: list[bytes]) -> list[str]:
    requests = [ExportTraceServiceRequest.FromString(payload) for payload in payloads]
    return [s.name for r in requests for rs in r.resource_spans for ss in rs.scope_spans for s in ss.spans]


class Scripted:
    """A collector that answers as told, then 200."""

    def __init__(self, *answers: Response) -> None:
        self._answers = list(answers)
        self.bodies: list[bytes] = []
        self.times: list[float] = []
        self.refuses: bytes | None = None
        self.app = FastAPI()
        self.app.post("/v1/traces")(self._receive)

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        self.times.append(asyncio.get_running_loop().time())
        if self._answers:
            return self._answers.pop(0)
        if self.refuses and self.refuses in body:
            return Response("no such thing", 400)
        self.bodies.append(body)
        return Response(b"", media_type="application/x-protobuf")

    async def serve(self, port: int = 0) -> HttpServer:
        server = HttpServer(self.app, bind("127.0.0.1", port, "test"))
        await server.start()
        return server


async def test_spans_logs_and_metrics_reach_the_collector_in_order(
    start_agent: StartAgent, start_collector: StartCollector, eventually: Eventually
) -> None:
    collector = await start_collector()
    agent = await start_agent(str(collector.http.base_url))
    sent = [f"n{number}" for number in range(50)]
    for name in sent:
        answer = await agent.http.post("/v1/traces", content=traces(name), headers=PROTOBUF)
        assert answer.status_code == httpx.codes.OK
    await eventually(lambda: len(names(collector.kept())) == len(sent))
    assert names(collector.kept()) == sent
    assert agent.count("agent_forwarded_total", topic="traces") == len(sent)


async def test_what_came_while_the_collector_was_away_is_sent_when_it_is_back(
    start_agent: StartAgent, eventually: Eventually
) -> None:
    collector = Scripted()
    first = await collector.serve()
    await first.stop()
    agent = await start_agent(f"http://127.0.0.1:{first.port}")
    for name in "abc":
        await agent.http.post("/v1/traces", content=traces(name), headers=PROTOBUF)
    await eventually(lambda: agent.count("agent_retries_total", topic="traces") > 1)
    assert agent.agent.problem() == ""
    again = await collector.serve(first.port)
    await eventually(lambda: len(names(collector.bodies)) == 3)
    assert names(collector.bodies) == ["a", "b", "c"]
    await again.stop()


async def test_a_delay_that_the_collector_asks_for_is_kept(
    start_agent: StartAgent, eventually: Eventually
) -> None:
    collector = Scripted(Response("busy", 429, headers={"retry-after": "2"}))
    server = await collector.serve()
    agent = await start_agent(f"http://127.0.0.1:{server.port}")
    await agent.http.post("/v1/traces", content=traces("a"), headers=PROTOBUF)
    await eventually(lambda: bool(collector.bodies))
    assert collector.times[1] - collector.times[0] >= 2
    await server.stop()


async def test_only_the_refused_record_of_a_batch_is_set_aside_with_its_reason(
    start_agent: StartAgent, eventually: Eventually, tmp_path: Path
) -> None:
    collector = Scripted(Response("busy", 503))
    collector.refuses = b"poison"
    server = await collector.serve()
    agent = await start_agent(f"http://127.0.0.1:{server.port}", agent={"batch_wait_s": 0.3})
    for name in ("a", "b", "poison", "c", "d"):
        await agent.http.post("/v1/traces", content=traces(name), headers=PROTOBUF)
    await eventually(lambda: len(names(collector.bodies)) == 4)
    assert names(collector.bodies) == ["a", "b", "c", "d"]
    assert agent.count("agent_set_aside_total", topic="traces") == 1
    (reason,) = (tmp_path / "agent" / "set-aside").glob("traces-*.json")
    assert json.loads(reason.read_text())["reason"] == "the collector answers 400: no such thing"
    assert names([reason.with_suffix(".bin").read_bytes()]) == ["poison"]
    await server.stop()


@pytest.mark.parametrize("status", [401, 404, 500])
async def test_answers_that_do_not_blame_the_payload_are_retried(
    start_agent: StartAgent, eventually: Eventually, status: int
) -> None:
    collector = Scripted(Response("", status))
    server = await collector.serve()
    agent = await start_agent(f"http://127.0.0.1:{server.port}")
    await agent.http.post("/v1/traces", content=traces("a"), headers=PROTOBUF)
    await eventually(lambda: bool(collector.bodies))
    assert agent.count("agent_set_aside_total", topic="traces") == 0
    await server.stop()


async def test_a_full_spool_refuses_as_otlp_says(start_agent: StartAgent) -> None:
    agent = await start_agent("http://127.0.0.1:9", agent={"spool_bytes": 2000})
    answers = [
        await agent.http.post("/v1/traces", content=traces("x" * 500), headers=PROTOBUF) for _ in range(6)
    ]
    refused = [answer for answer in answers if answer.status_code == httpx.codes.TOO_MANY_REQUESTS]
    assert answers[0].status_code == httpx.codes.OK
    assert refused
    assert int(refused[0].headers["retry-after"]) >= 1
    counted = agent.count("collector_refused_total", signal="traces", transport="http", reason="overload")
    assert counted == len(refused)


async def test_a_full_disk_refuses_and_makes_unready(start_agent: StartAgent) -> None:
    agent = await start_agent("http://127.0.0.1:9", bus={"min_free_bytes": 2**60})
    answer = await agent.http.post("/v1/traces", content=traces("a"), headers=PROTOBUF)
    assert answer.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert "retry-after" in answer.headers
    assert "min_free_bytes" in agent.agent.problem()


async def test_remote_write_and_metrics_over_grpc_pass_through(
    start_agent: StartAgent, start_collector: StartCollector, eventually: Eventually
) -> None:
    collector = await start_collector()
    agent = await start_agent(str(collector.http.base_url))
    for body, proto in ((request_v1(UP), V1), (request_v2(UP), V2)):
        headers = {"content-type": f"application/x-protobuf;proto={proto}", "content-encoding": "snappy"}
        answer = await agent.http.post("/api/v1/write", content=packed(body), headers=headers)
        assert answer.is_success, answer.text
    await eventually(lambda: len(collector.kept("remote_write")) == 2)
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="up")
    metric.gauge.data_points.add(as_int=1, time_unix_nano=1)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{agent.ports.otlp_grpc}") as channel:
        await channel.unary_unary(METHODS["metrics"])(request.SerializeToString())
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channel.stream_unary(ACCESS_LOGS)(iter([b""]))
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
    await eventually(lambda: len(collector.kept("metrics")) == 1)
