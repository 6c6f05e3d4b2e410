"""The distribution: its import names are ours alone, and the wheel holds what runs after an install."""

import importlib.metadata
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IMPORT_NAMES = ("vigla", "collector", "ingester", "query", "ui", "proxy")


@pytest.mark.parametrize("name", IMPORT_NAMES)
def test_no_other_distribution_has_our_import_names(name: str) -> None:
    """Generic names can be taken by another package, which pip would install over ours without a word."""
    owners = importlib.metadata.packages_distributions().get(name, [])
    assert set(owners) <= {"vigla"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """Paths in a wheel built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built).namelist()


@pytest.mark.parametrize("suffix", [".py", ".html", ".js", ".css", ".svg", ".sql", ".typed"])
def test_wheel_holds_every_file_of_the_packages(wheel: Sequence[str], suffix: str) -> None:
    files = {
        str(path.relative_to(ROOT)) for name in IMPORT_NAMES for path in (ROOT / name).rglob(f"*{suffix}")
    }
    assert files <= set(wheel)


def test_wheel_holds_the_browser_libraries(wheel: Sequence[str]) -> None:
    assert any(path.startswith("ui/static/vendor/") and path.endswith(".js") for path in wheel)


def test_wheel_holds_the_demo(wheel: Sequence[str]) -> None:
    folder = ROOT / "examples" / "bookinfo"
    files = {path.relative_to(folder) for path in (*folder.glob("*.py"), *folder.rglob("*.yaml"))}
    assert {f"vigla/examples/bookinfo/{name}" for name in files} <= set(wheel)


def test_wheel_holds_the_descriptors_of_envoys_api(wheel: Sequence[str]) -> None:
    assert "vigla/wire/envoy/descriptors.binpb" in wheel


def test_wheel_leaves_out_tests_and_tools(wheel: Sequence[str]) -> None:
    tops = {path.split("/")[0] for path in wheel}
    assert tops == {*IMPORT_NAMES, f"vigla-{importlib.metadata.version('vigla')}.dist-info"}
