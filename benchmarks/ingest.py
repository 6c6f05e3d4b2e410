"""Sustained ingest through OTLP gRPC: spans per second acknowledged, then found again by a query.

``python -m benchmarks.ingest [--seconds 300] [--inflight 8]`` starts ``vigla serve`` on free ports with an
empty lake in a temporary directory and sends payloads of 500 spans with the shape of Jaeger's ``tracegen``
(see ``benchmarks.tracegen``), made beforehand. A span counts when its request was acknowledged; afterwards
all of them must be counted by SQL. The rate is spans over the time until the last one is found.
"""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

import vigla
from benchmarks.process import MemoryTrack, cpu_seconds, resident_bytes
from benchmarks.report import publish, table, verdict
from benchmarks.serving import Server
from benchmarks.tracegen import Generator

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
GOAL_SPANS_PER_S = 80_000
GOAL_MEMORY_MIB = 1024
FLAT_MIB_PER_MINUTE = 10.0
JAEGER_SPANS_PER_S = 52_129
FIND_TIMEOUT_S = 120.0
MAX_BACKOFF_S = 2.0

Export = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]


@dataclass(slots=True)
class Run:
    """What is measured while sending."""

    acknowledged: int = 0
    requests: int = 0
    refused: int = 0
    sending_s: float = 0.0
    finding_s: float = 0.0
    found: int = 0
    server_cpu_s: float = 0.0
    generator_cpu_s: float = 0.0
    memory: MemoryTrack = field(default_factory=MemoryTrack)

    @property
    def spans_per_s(self) -> float:
        """Spans found over the time until all were found."""
        return self.found / (self.sending_s + self.finding_s)


class Sender:
    """Keeps a fixed number of requests in flight on one channel until a deadline."""

    def __init__(self, target: str, generator: Generator, run: Run, deadline: float) -> None:
        self._target = target
        self._generator = generator
        self._run = run
        self._deadline = deadline

    async def send(self, inflight: int) -> None:
        """Send until the deadline has passed and every request is answered."""
        async with grpc.aio.insecure_channel(self._target) as channel:
            export: Export = channel.unary_unary(METHOD)
            await asyncio.gather(*(self._keep_sending(export) for _ in range(inflight)))

    async def _keep_sending(self, export: Export) -> None:
        while time.monotonic() < self._deadline:
            stamped = self._generator.next(time.time_ns())
            await self._deliver(export, stamped.payload)
            self._run.acknowledged += stamped.spans
            self._run.requests += 1

    async def _deliver(self, export: Export, payload: bytes) -> None:
        backoff_s = 0.05
        while True:
            try:
                await export(payload)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
                self._run.refused += 1
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, MAX_BACKOFF_S)
            else:
                return


async def sample(run: Run, server: Server, seconds: float, bar: Progress) -> None:
    """Follow the server's memory, and show progress, once a second until cancelled."""
    begun = time.monotonic()
    task = bar.add_task("sending", total=seconds, rate="")
    while True:
        elapsed = time.monotonic() - begun
        run.memory.add(elapsed, resident_bytes(server.pid))
        rate = (
            f"{run.acknowledged / max(elapsed, 1e-9):,.0f} spans/s, {run.memory.bytes[-1] / 2**20:,.0f} MiB"
        )
        bar.update(task, completed=elapsed, rate=rate)
        await asyncio.sleep(1)


async def send(run: Run, server: Server, seconds: float, inflight: int, bar: Progress) -> None:
    """Send for ``seconds``, and record time and CPU of both sides."""
    generator = Generator()
    sampler = asyncio.create_task(sample(run, server, seconds, bar))
    begun, own, served = time.monotonic(), time.process_time(), cpu_seconds(server.pid)
    await Sender(server.grpc_target, generator, run, begun + seconds).send(inflight)
    run.sending_s = time.monotonic() - begun
    run.generator_cpu_s = time.process_time() - own
    run.server_cpu_s = cpu_seconds(server.pid) - served
    sampler.cancel()


def find(run: Run, server: Server) -> None:
    """Count by SQL until every acknowledged span is there, or ``FIND_TIMEOUT_S`` have passed."""
    begun = time.monotonic()
    with vigla.connect(server.query_url) as client:
        while run.found < run.acknowledged and time.monotonic() - begun < FIND_TIMEOUT_S:
            run.found = client.sql("SELECT count(*) FROM spans").rows()[0][0]
            run.finding_s = time.monotonic() - begun


def summary(run: Run) -> str:
    """The result as a Markdown table."""
    slope = run.memory.slope_mib_per_minute()
    complete = run.found == run.acknowledged
    rows = [
        (
            "spans/s, acknowledged and found",
            f"{run.spans_per_s:,.0f}",
            f"{GOAL_SPANS_PER_S:,}",
            verdict(reached=complete and run.spans_per_s >= GOAL_SPANS_PER_S),
        ),
        ("spans acknowledged", f"{run.acknowledged:,}", "", ""),
        ("spans found by SQL", f"{run.found:,}", "all", verdict(reached=complete)),
        ("sending; then until all were found", f"{run.sending_s:.1f} s; {run.finding_s:.1f} s", "", ""),
        ("requests; refused and sent again", f"{run.requests:,}; {run.refused:,}", "", ""),
        ("server CPU", f"{run.server_cpu_s / run.sending_s:.2f} cores", "", ""),
        ("generator CPU, same machine", f"{run.generator_cpu_s / run.sending_s:.2f} cores", "", ""),
        (
            "server memory (RSS), highest",
            f"{run.memory.peak_mib:,.0f} MiB",
            f"{GOAL_MEMORY_MIB:,} MiB",
            verdict(reached=run.memory.peak_mib < GOAL_MEMORY_MIB),
        ),
        (
            "its slope, second half",
            f"{slope:+.1f} MiB/min",
            f"at most {FLAT_MIB_PER_MINUTE:.0f}",
            verdict(reached=slope <= FLAT_MIB_PER_MINUTE),
        ),
    ]
    note = (
        f"For comparison: Jaeger with its ClickHouse store inserts {JAEGER_SPANS_PER_S:,} spans/s on 4 cores."
    )
    return f"{table(('measured', 'value', 'goal', ''), rows)}\n\n{note}"


def main() -> None:
    """Run and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--inflight", type=int, default=8)
    parser.add_argument("--path", type=Path, help="directory to make the lake in")
    arguments = parser.parse_args()
    run = Run()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[rate]}"),
    )
    with (
        tempfile.TemporaryDirectory(dir=arguments.path) as directory,
        Server(Path(directory) / "lake") as server,
    ):
        with bar:
            asyncio.run(send(run, server, arguments.seconds, arguments.inflight, bar))
        find(run, server)
    title = f"Ingest through OTLP gRPC for {arguments.seconds:.0f} s"
    publish("ingest", title, summary(run))


if __name__ == "__main__":
    main()
