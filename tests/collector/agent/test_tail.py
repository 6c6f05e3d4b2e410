"""Lines of access log files arrive once each: through renames, truncation, halves of lines and restarts."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.collector.agent.conftest import RunningAgent, StartAgent
from tests.collector.conftest import Running, StartCollector
from vigla.wire.access_logs.decode import AccessLogDecoder

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
Setup = Callable[..., Awaitable[RunningAgent]]


def text_line(number: int, path: str = "/cart") -> str:
    return (
        f'[2026-05-01T10:00:00.{number % 1000:03d}Z] "GET {path} HTTP/1.1" 200 - via_upstream - "-" '
        f'10 20 5 4 "-" "curl/8" "r{number}" "shop:80" "10.0.0.2:80" '
        "outbound|80||shop.default.svc.cluster.local 10.0.0.1:4000 10.1.1.1:80 10.0.0.1:5000 - default\n"
    )


def json_line(number: int) -> str:
    line = {
        "start_time": "2026-05-01T10:00:00.000Z", "method": "GET", "path": "/cart", "protocol": "HTTP/2",
        "response_code": 503, "response_flags": "UF,URX", "duration": 7, "request_id": f"r{number}",
        "upstream_cluster": "inbound|80||", "authority": None,
    }  # fmt: skip
    return orjson.dumps(line).decode() + "\n"


def write(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(lines))


def rows(collector: Running) -> list[dict[str, Any]]:
    return AccessLogDecoder().decode(collector.kept("access_logs")).to_pylist()


def ids(collector: Running) -> list[str]:
    return [row["request_id"] for row in rows(collector)]


def numbered(count: int) -> list[str]:
    return [f"r{number}" for number in range(count)]


@pytest.fixture
async def collector(start_collector: StartCollector) -> Running:
    return await start_collector()


@pytest.fixture
def follow(start_agent: StartAgent, collector: Running, tmp_path: Path) -> Setup:
    async def start(**agent: Any) -> RunningAgent:
        pattern = str(tmp_path / "*.log")
        return await start_agent(
            str(collector.http.base_url),
            agent={"access_logs": [pattern], "node": "n1", "rotation_wait_s": 0.3, **agent},
        )

    return start


async def test_both_of_istios_formats_become_the_columns_of_access_logs(
    follow: Setup, collector: Running, tmp_path: Path, eventually: Eventually
) -> None:
    log = tmp_path / "access.log"
    write(log, text_line(0, '/a "b" c'), "what is this\n", json_line(1))
    agent = await follow(access_log_attributes={"source_workload": "web"})
    await eventually(lambda: len(ids(collector)) == 2)
    first, second = rows(collector)
    assert first["path"] == '/a "b" c'
    assert (first["status"], first["dur"], first["flags"]) == (200, 5_000_000, [])
    assert (first["service"], first["reporter"]) == ("shop.default.svc.cluster.local", "source")
    assert (first["node"], first["source_workload"], first["user_agent"]) == ("n1", "web", "curl/8")
    assert (second["status"], second["protocol"]) == (503, "HTTP/2")
    assert (second["flags"], second["reporter"]) == (["UF", "URX"], "destination")
    assert agent.count("agent_lines_skipped_total") == 1
    assert agent.count("collector_accepted_total", signal="logs", transport="file") == 2


async def test_half_a_line_waits_for_its_end(
    follow: Setup, collector: Running, tmp_path: Path, eventually: Eventually
) -> None:
    log, line = tmp_path / "access.log", text_line(1)
    await follow()
    write(log, text_line(0), line[:70])
    await eventually(lambda: ids(collector) == ["r0"])
    write(log, line[70:])
    await eventually(lambda: ids(collector) == ["r0", "r1"])


async def test_a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_start(
    follow: Setup, collector: Running, tmp_path: Path, eventually: Eventually
) -> None:
    log, old = tmp_path / "access.log", tmp_path / "access.log.1"
    await follow()
    with log.open("w") as writer:
        writer.write(text_line(0))
        writer.flush()
        await eventually(lambda: ids(collector) == ["r0"])
        log.rename(old)
        writer.write(text_line(1))  # Envoy goes on there until it is told to open its file again
    write(log, text_line(2))
    write(old, text_line(3).rstrip("\n"))
    await eventually(lambda: sorted(ids(collector)) == numbered(4))


async def test_a_truncated_file_is_read_from_its_start(
    follow: Setup, collector: Running, tmp_path: Path, eventually: Eventually
) -> None:
    log = tmp_path / "access.log"
    await follow()
    write(log, text_line(0), text_line(1))
    await eventually(lambda: ids(collector) == numbered(2))
    log.write_text(text_line(2))
    await eventually(lambda: ids(collector) == numbered(3))
    log.write_text("".join(map(text_line, range(3, 9))))  # as long as before, or longer
    await eventually(lambda: ids(collector) == numbered(9))


async def test_after_a_restart_nothing_is_missing_or_read_twice(
    follow: Setup, collector: Running, tmp_path: Path, eventually: Eventually
) -> None:
    log = tmp_path / "access.log"
    write(log, text_line(0))
    agent = await follow()
    await eventually(lambda: ids(collector) == numbered(1))
    await agent.agent.stop()
    write(log, text_line(1))
    log.rename(tmp_path / "access.log.1")
    write(log, text_line(2))
    await follow()
    await eventually(lambda: sorted(ids(collector)) == numbered(3))
    write(log, text_line(3))
    await eventually(lambda: sorted(ids(collector)) == numbered(4))


async def test_a_place_that_was_not_saved_is_found_on_the_spool(
    follow: Setup, collector: Running, tmp_path: Path, eventually: Eventually
) -> None:
    log, places = tmp_path / "access.log", tmp_path / "agent" / "positions" / "files.json"
    write(log, text_line(0))
    agent = await follow()
    await eventually(lambda: ids(collector) == numbered(1))
    before = places.read_bytes()
    write(log, text_line(1))
    await eventually(lambda: ids(collector) == numbered(2))
    await agent.agent.stop()
    places.write_bytes(before)  # as if killed between the spool and the file of places
    write(log, text_line(2))
    await follow()
    await eventually(lambda: len(ids(collector)) >= 3)
    assert ids(collector) == numbered(3)


async def test_lines_wait_in_their_file_while_the_spool_is_full(
    follow: Setup, collector: Running, tmp_path: Path, eventually: Eventually
) -> None:
    agent = await follow(collector="http://127.0.0.1:9", spool_bytes=100)
    write(tmp_path / "access.log", text_line(0))
    refused = {"signal": "logs", "transport": "file", "reason": "overload"}
    await eventually(lambda: agent.count("collector_refused_total", **refused) >= 1)
    await agent.agent.stop()
    await follow()
    await eventually(lambda: ids(collector) == numbered(1))


async def test_a_line_without_end_is_passed_over(
    follow: Setup, collector: Running, tmp_path: Path, eventually: Eventually
) -> None:
    agent = await follow()
    write(tmp_path / "access.log", "x" * 1_300_000, "\n", text_line(0))
    await eventually(lambda: ids(collector) == numbered(1))
    assert agent.count("agent_lines_skipped_total") >= 1


async def test_a_file_that_cannot_be_read_costs_nothing(
    follow: Setup, collector: Running, tmp_path: Path, eventually: Eventually
) -> None:
    (tmp_path / "folder.log").mkdir()
    (tmp_path / "dangling.log").symlink_to(tmp_path / "nowhere")
    await follow()
    write(tmp_path / "access.log", text_line(0))
    await eventually(lambda: ids(collector) == numbered(1))
