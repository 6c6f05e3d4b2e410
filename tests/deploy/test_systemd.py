"""The units, judged by systemd itself, and their commands by our own command line."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vigla.cli.main import app

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
EXPOSURE = 2.5
"""Most that ``systemd-analyze security`` may say, 0 to 10; an ordinary service has 9."""

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")


def analyzed(*words: str | Path) -> str:
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def installed(unit: Path, folder: Path) -> Path:
    """The unit with a command that is here: systemd looks whether it exists."""
    copy = folder / unit.name
    copy.write_text(unit.read_text().replace("/opt/vigla/bin/vigla", shutil.which("true") or "/bin/true"))
    return copy


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    told = analyzed("verify", installed(unit, tmp_path))
    assert unit.name not in told, told


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_little_is_exposed(unit: Path, tmp_path: Path) -> None:
    told = analyzed("security", "--offline=true", "--no-pager", installed(unit, tmp_path))
    (line,) = (line for line in told.splitlines() if "Overall exposure level" in line)
    assert float(line.split(":")[1].split()[0]) <= EXPOSURE, told


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_command_takes_these_options(unit: Path) -> None:
    (line,) = (line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
    _, command, *options = shlex.split(line.removeprefix("ExecStart="))
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
    assert [option for option in options if option.startswith("--") and option not in shown] == []
