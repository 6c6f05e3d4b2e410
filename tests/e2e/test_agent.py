"""An agent before a collector, both killed in turn under load: what was acknowledged is in the lake."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import vigla
from benchmarks.serving import Server
from tests.collector.agent.test_tail import text_line
from tests.e2e.agent_process import AgentProcess

VISIBLE_WITHIN_S = 90.0
SPANS = 5  # of a request
BATCH_BYTES = 4000
HURRIED = {"VIGLA_INGESTER__FLUSH_INTERVAL_S": "0.1", "VIGLA_BUS__MIN_FREE_BYTES": "0"}


@dataclass
class Load:
    """Sends requests and writes lines until told to end."""

    url: str
    log: Path
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    lines: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """One request, a few lines, and so on."""
        with httpx.Client(timeout=10) as client:
            while not self.ended.wait(0.002):
                self._write()
                names = {f"s{len(self.sent) + number}" for number in range(SPANS)}
                self.sent |= names
                try:
                    answer = client.post(f"{self.url}/v1/traces", content=_request(names), headers=_HEADERS)
                except httpx.TransportError:
                    continue
                if answer.is_success:
                    self.acknowledged |= names

    def _write(self) -> None:
        with self.log.open("a") as file:
            file.write(text_line(self.lines))
        self.lines += 1


_HEADERS = {"content-type": "application/x-protobuf"}


def _request(names: set[str]) -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    now = time.time_ns()
    for name in sorted(names):
        spans.add(
            name=name,
            trace_id=hash(name).to_bytes(16, "big", signed=True),
            span_id=hash(name).to_bytes(8, "big", signed=True),
            start_time_unix_nano=now,
            end_time_unix_nano=now + 1,
        )
    return request.SerializeToString()


def test_kills_of_agent_and_collector_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    collector = Server(tmp_path / "lake", HURRIED).start()
    settings = {
        "AGENT__ACCESS_LOGS": f"[{log}]",
        "AGENT__BATCH_BYTES": str(BATCH_BYTES),
        "AGENT__MAX_RETRY_DELAY_S": "0.5",
        "AGENT__ROTATION_WAIT_S": "0.5",
        "BUS__MIN_FREE_BYTES": "0",
    }
    with AgentProcess(tmp_path / "agent", collector.otlp_url, settings) as agent:
        load = Load(agent.url("COLLECTOR__OTLP_HTTP_PORT"), log)
        sender = threading.Thread(target=load.run)
        sender.start()
        _trouble(agent, collector, log)
        load.ended.set()
        sender.join()
        spans, lines = _stored(collector, load)
        assert agent.stop() == 0
    collector.stop()
    assert load.acknowledged
    assert load.acknowledged <= spans.keys() <= load.sent
    assert lines.keys() == {f"r{number}" for number in range(load.lines)}
    # a request whose answer a kill swallowed is sent again; there were four kills
    assert spans.total() - len(spans) <= 4 * BATCH_BYTES / 50
    assert lines.total() - len(lines) <= load.lines / 4


def _trouble(agent: AgentProcess, collector: Server, log: Path) -> None:
    """Kill each twice, the agent also while the collector is away, and rotate the log while it is dead."""
    time.sleep(1)
    agent.kill()
    agent.start()
    time.sleep(0.5)
    collector.kill()
    time.sleep(0.5)
    agent.kill()
    log.rename(log.with_suffix(".1"))
    agent.start()
    time.sleep(0.5)
    collector.restart(collector.ports)
    time.sleep(1)
    collector.kill()
    collector.restart(collector.ports)


def _stored(collector: Server, load: Load) -> tuple[Counter[str], Counter[str]]:
    """Rows by id, once all that was acknowledged is there."""
    deadline = time.monotonic() + VISIBLE_WITHIN_S
    while True:
        with vigla.connect(collector.query_url) as connection:
            spans = Counter(row[0] for row in connection.sql("SELECT name FROM spans").rows())
            lines = Counter(row[0] for row in connection.sql("SELECT request_id FROM access_logs").rows())
        if load.acknowledged <= spans.keys() and len(lines) == load.lines:
            return spans, lines
        missing = len(load.acknowledged - spans.keys()), load.lines - len(lines)
        assert time.monotonic() < deadline, f"{missing} spans and lines are missing"
        time.sleep(0.5)
