"""Remote read: a real Prometheus asks vigla for samples that it never had."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from benchmarks.serving import Server
from tests.wire.remote_write_messages import packed, request_v1
from vigla.listen import reserve
from vigla.wire.remote_read.request import message_class
from vigla.wire.remote_write import envelope

SOON_S = 40.0
HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
SETTINGS = {"VIGLA_SCRAPE__OWN": "false", "VIGLA_RULES__MESH": "false"}
SERIES, STEPS = 20, 500


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("read") / "lake", SETTINGS) as made:
        yield made


@pytest.fixture(scope="module")
def now(server: Server) -> int:
    """Milliseconds; samples before it are found."""
    at = time.time_ns() // 10**6
    dice = np.random.default_rng(4)
    values = np.cumsum(dice.poisson(3, (SERIES, STEPS)), axis=1) + dice.random((SERIES, 1))
    rows = [
        (
            {"__name__": "kept_total", "n": str(n)},
            [(at + 300 - 1000 * (STEPS - i), values[n, i]) for i in range(STEPS)],
        )
        for n in range(SERIES)
    ]
    body = packed(request_v1(*rows))
    assert httpx.post(f"{server.query_url}/api/v1/write", content=body, headers=HEADERS).status_code == 204
    until = time.monotonic() + SOON_S
    while time.monotonic() < until:
        query = {"query": f"count_over_time(kept_total[{STEPS}s])", "time": at / 1000}
        found = httpx.get(f"{server.query_url}/api/v1/query", params=query).json()["data"]["result"]
        if len(found) == SERIES:
            return at
        time.sleep(0.1)
    raise AssertionError("what was written is not found")


@pytest.fixture(scope="module")
def prometheus(server: Server, now: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001
    """URL of one without samples of its own, which reads from the server."""
    if not shutil.which("prometheus"):
        pytest.skip("no prometheus: apt-get install prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    reads = [{"url": f"{server.query_url}/api/v1/read", "read_recent": True}]
    (folder / "prometheus.yml").write_text(json.dumps({"remote_read": reads}))
    with reserve() as free:
        port = free.getsockname()[1]
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + SOON_S
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/-/ready").is_success:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait()


@pytest.mark.parametrize(
    "query",
    ["kept_total", "rate(kept_total[30s])", 'sum(kept_total{n=~"1."})', 'kept_total{n!="3", n!~"1."}'],
)
def test_a_prometheus_reads(server: Server, prometheus: str, now: int, query: str) -> None:
    params: dict[str, Any] = {"query": query, "start": now / 1000 - 400, "end": now / 1000 - 5, "step": 5}
    ours, theirs = (
        httpx.get(f"{url}/api/v1/query_range", params=params, timeout=30).json()
        for url in (server.query_url, prometheus)
    )
    assert theirs["status"] == "success"
    assert not theirs.get("warnings"), theirs
    assert theirs["data"]["result"]

    def by_labels(answer: Any) -> dict[str, list[tuple[float, float]]]:
        return {
            json.dumps(each["metric"], sort_keys=True): [(t, round(float(v), 9)) for t, v in each["values"]]
            for each in answer["data"]["result"]
        }

    assert by_labels(ours) == by_labels(theirs)


def asked(server: Server, content: bytes) -> httpx.Response:
    return httpx.post(f"{server.query_url}/prometheus/api/v1/read", content=content, headers=HEADERS)


def request(*matchers: tuple[int, bytes, bytes], accepted: tuple[int, ...] = (), ends: int = 2**45) -> bytes:
    message: Any = message_class()()
    query = message.queries.add(start_timestamp_ms=0, end_timestamp_ms=ends)
    for kind, name, value in matchers:
        query.matchers.add(type=kind, name=name, value=value)
    message.accepted_response_types.extend(accepted)
    return envelope.compress(message.SerializeToString())


def test_forms(server: Server, now: int) -> None:  # noqa: ARG001
    named = (0, b"__name__", b"kept_total")
    as_samples = asked(server, request(named))
    assert as_samples.headers["content-encoding"] == "snappy"
    assert as_samples.headers["content-type"] == "application/x-protobuf"
    in_chunks = asked(server, request(named, accepted=(1, 0)))
    assert in_chunks.headers["content-type"].startswith("application/x-streamed-protobuf; proto=")
    assert len(in_chunks.content) < SERIES * STEPS * 9


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"nonsense", "snappy"),
        (request(), "at least one matcher"),
        (request((2, b"a", b"(")), "error parsing regexp"),
        (request((0, b"__name__", b"x"), accepted=(7,)), "accepted response types"),
    ],
)
def test_errors(server: Server, content: bytes, said: str) -> None:
    answer = asked(server, content)
    assert answer.status_code == 400
    assert said in answer.text
