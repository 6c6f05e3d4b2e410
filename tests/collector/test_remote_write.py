"""Remote write over HTTP: see ``collector.remote_write``."""

import asyncio

import pytest

from tests.collector.conftest import Running, StartCollector
from tests.wire.remote_write_messages import packed, request_v1, request_v2
from vigla.wire.remote_write import envelope

UP = {"__name__": "up", "job": "a"}
V1, V2 = "application/x-protobuf", "application/x-protobuf;proto=io.prometheus.write.v2.Request"
HEADERS = {"content-type": V1, "content-encoding": "snappy"}
PREFIX = "x-prometheus-remote-write-"
BODY = packed(request_v1((UP, [(1, 1.0), (2, 2.0)])))


def written(headers: dict[str, str]) -> list[int]:
    return [int(headers[f"{PREFIX}{kind}-written"]) for kind in ("samples", "histograms", "exemplars")]


@pytest.mark.parametrize("media", ["", V1, f"{V1}; proto=prometheus.WriteRequest"])
async def test_version_1(running: Running, media: str) -> None:
    answer = await running.http.post("/api/v1/write", content=BODY, headers=HEADERS | {"content-type": media})
    assert (answer.status_code, answer.content) == (204, b"")
    assert written(dict(answer.headers)) == [2, 0, 0]
    (record,) = running.kept("remote_write")
    assert envelope.unwrap(record) == ("1", BODY)
    assert running.count("accepted_total", signal="remote_write", transport="http") == 2


async def test_version_2_in_part(running: Running) -> None:
    body = packed(request_v2((UP, [(1, 1.0)]), ({"job": "nameless"}, [(1, 1.0)])))
    answer = await running.http.post("/api/v1/write", content=body, headers=HEADERS | {"content-type": V2})
    assert answer.status_code == 400
    assert "missing metric name" in answer.text
    assert written(dict(answer.headers)) == [1, 0, 0]
    assert len(running.kept("remote_write")) == 1


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (415, {"content-encoding": "gzip"}, BODY),
        (415, {"content-type": "application/json"}, BODY),
        (415, {"content-type": "application/x-protobuf;proto=other.Request"}, BODY),
        (400, {}, b"no snappy"),
        (400, {}, packed(request_v1((UP, [(2**62, 1.0)])))),
        (413, {}, envelope.compress(bytes(envelope.MAX_BYTES + 1))),
    ],
)
async def test_refused(running: Running, status: int, headers: dict[str, str], body: bytes) -> None:
    answer = await running.http.post("/api/v1/write", content=body, headers=HEADERS | headers)
    assert answer.status_code == status
    assert answer.text.strip()
    assert written(dict(answer.headers)) == [0, 0, 0]
    assert running.kept("remote_write") == []


async def test_only_post(running: Running) -> None:
    assert (await running.http.get("/api/v1/write")).status_code == 405


async def test_overload_says_when_to_come_again(start_collector: StartCollector) -> None:
    running = await start_collector(max_inflight_bytes=10)
    answer = await running.http.post("/api/v1/write", content=BODY, headers=HEADERS)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


async def test_many_at_once(running: Running) -> None:
    big = packed(request_v1(*(({**UP, "n": str(n)}, [(1, 1.0)]) for n in range(5000))))
    posts = [running.http.post("/api/v1/write", content=big, headers=HEADERS) for _ in range(8)]
    assert {answer.status_code for answer in await asyncio.gather(*posts)} == {204}
    assert len(running.kept("remote_write")) == 8
