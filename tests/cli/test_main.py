"""The command line itself."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest


def vigla(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vigla", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60, check=False)


def test_version(tmp_path: Path) -> None:
    assert vigla("--version", cwd=tmp_path).stdout == f"vigla {version('vigla')}\n"


def test_help_lists_every_command(tmp_path: Path) -> None:
    listed = vigla("--help", cwd=tmp_path).stdout
    assert all(command in listed for command in ("serve", "demo", "sql", "import", "export"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("query:\n  htp_port: 1\n", "query.htp_port"),
        ("storage:\n  path: /proc/vigla\n", "/proc/vigla"),
        ("ingester:\n  promoted: ['http.request.method:int']\n", "http.request.method"),
    ],
)
def test_unusable_settings_are_one_line_and_exit_2(tmp_path: Path, settings: str, said: str) -> None:
    (tmp_path / "vigla.yaml").write_text(f"{settings}telemetry:\n  port: 0\n")
    done = vigla("serve", cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_unknown_option_exits_2(tmp_path: Path) -> None:
    done = vigla("serve", "--colour", cwd=tmp_path)
    assert (done.returncode, "--colour" in done.stderr) == (2, True)
