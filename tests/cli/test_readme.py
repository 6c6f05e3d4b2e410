"""What the README tells to type works."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.serving import Server
from vigla import connect

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
DEFAULT_URL = "http://127.0.0.1:16686"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Server(tmp_path_factory.mktemp("readme") / "data") as server:
        yield server.query_url


def _lines(start: str) -> list[str]:
    return [
        line for language, block in BLOCKS if language == "sh" for line in block.splitlines() if start in line
    ]


def test_python_example(url: str) -> None:
    (example,) = [block for language, block in BLOCKS if language == "python"]
    command = [sys.executable, "-c", example.replace(DEFAULT_URL, url)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_sql_example(url: str) -> None:
    (line,) = _lines("vigla sql")
    with connect(url) as connection:
        result = connection.sql(line.split("'")[1])
    assert result.columns == ["service", "spans", "slowest_ms"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
@pytest.mark.parametrize("line", _lines("curl"))
def test_curl_example(url: str, line: str) -> None:
    command = ["bash", "-c", line.replace("curl", "curl --silent --fail").replace(DEFAULT_URL, url)]
    subprocess.run(command, capture_output=True, check=True)


@pytest.mark.parametrize("path", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_links_lead_somewhere(path: str) -> None:
    assert (Path(__file__).parents[2] / path).exists()


@pytest.mark.parametrize("line", _lines("make "))
def test_make_targets_exist(line: str) -> None:
    command = ["make", "--dry-run", "--question", line.split()[1]]
    assert (
        subprocess.run(command, capture_output=True, check=False, cwd=Path(__file__).parents[2]).returncode
        < 2
    )
