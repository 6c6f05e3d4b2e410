"""A lake of ten days of traces, filled through the server itself and merged, kept for the next run."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc
import grpc.aio
from rich.progress import Progress

import vigla
from benchmarks.serving import Server
from benchmarks.tracegen import Generator, over

Export = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
DAYS = 10
DAY_NS = 86_400 * 10**9
INFLIGHT = 6
SETTLED_S = 30.0
SETTLE_TIMEOUT_S = 1800.0
MERGING = {
    "VIGLA_STORAGE__MERGE_INTERVAL_S": "5",
    "VIGLA_STORAGE__MAINTENANCE_INTERVAL_S": "5",
    "VIGLA_STORAGE__SNAPSHOT_GRACE_S": "1",
}


@dataclass(frozen=True, slots=True)
class Contents:
    """What a lake was filled with."""

    spans: int
    start_ns: int
    end_ns: int


def ensure(directory: Path, spans: int) -> Contents:
    """The lake below ``directory``, filled now unless it is there already.

    Raises:
        SystemExit: another number of spans is there, or a span went missing.
    """
    note = directory / "contents.json"
    if note.exists():
        contents = Contents(**json.loads(note.read_text(encoding="utf-8")))
        if contents.spans != spans:
            raise SystemExit(f"{directory} holds {contents.spans:,} spans: remove it or name another --path")
        return contents
    directory.mkdir(parents=True, exist_ok=True)
    end_ns = time.time_ns()
    contents = Contents(spans, end_ns - DAYS * DAY_NS, end_ns)
    with Server(directory / "lake", MERGING) as server, Progress() as bar:
        asyncio.run(_fill(server, contents, bar))
        _await_all(server, contents, bar)
        _await_merge(directory, bar)
    note.write_text(json.dumps(asdict(contents)), encoding="utf-8")
    return contents


def parquet_bytes(directory: Path) -> dict[str, int]:
    """Bytes of the Parquet files below ``directory`` by the table's folder."""
    sizes: dict[str, int] = {}
    for path in directory.rglob("*.parquet"):
        table = next((part for part in path.parts if part in {"spans", "traces"}), "other")
        sizes[table] = sizes.get(table, 0) + path.stat().st_size
    return sizes


async def _fill(server: Server, contents: Contents, bar: Progress) -> None:
    task = bar.add_task("filling", total=contents.spans)
    payloads = over(Generator(), contents.spans, contents.start_ns, contents.end_ns)
    async with grpc.aio.insecure_channel(server.grpc_target) as channel:
        export: Export = channel.unary_unary(METHOD)

        async def keep_sending(share: Iterator[bytes]) -> None:
            for payload in share:
                await _deliver(export, payload)
                bar.advance(task, 500)

        await asyncio.gather(*(keep_sending(payloads) for _ in range(INFLIGHT)))


async def _deliver(export: Export, payload: bytes) -> None:
    while True:
        try:
            await export(payload)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
            await asyncio.sleep(0.2)
        else:
            return


def _await_all(server: Server, contents: Contents, bar: Progress) -> None:
    task = bar.add_task("storing", total=contents.spans)
    stored = 0
    with vigla.connect(server.query_url) as client:
        while stored < contents.spans:
            stored = client.sql("SELECT count(*) FROM spans").rows()[0][0]
            bar.update(task, completed=stored)
            time.sleep(0.5)
    if stored > contents.spans:
        raise SystemExit(f"{stored:,} spans in the lake, {contents.spans:,} were sent")


def _await_merge(directory: Path, bar: Progress) -> None:
    """Wait until the set of Parquet files has not changed for ``SETTLED_S``."""
    task = bar.add_task("merging", total=None)
    files: set[Path] = set()
    since = begun = time.monotonic()
    while time.monotonic() - since < SETTLED_S and time.monotonic() - begun < SETTLE_TIMEOUT_S:
        now = set(directory.rglob("*.parquet"))
        if now != files:
            files, since = now, time.monotonic()
        bar.update(task, description=f"merging, {len(files)} files")
        time.sleep(1)
