"""Network namespaces on one bridge, each like a machine of its own."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

SYSTEM_PATHS = "/usr/sbin:/sbin"


def need_namespaces() -> None:
    """Skip the test, with the reason, where it cannot make namespaces and rules."""
    if os.geteuid():
        pytest.skip("network namespaces take root")
    for command in ("ip", "nft"):
        if not shutil.which(command) and not shutil.which(command, path=SYSTEM_PATHS):
            pytest.skip(f"there is no command {command}: apt-get install iproute2 nftables")
    name = f"vt{secrets.token_hex(3)}"
    if run("ip", "netns", "add", name, check=False).returncode:
        pytest.skip("this process may not make network namespaces (CAP_SYS_ADMIN, CAP_NET_ADMIN)")
    run("ip", "netns", "del", name)


@dataclass(frozen=True, slots=True)
class Namespace:
    """One machine."""

    name: str
    address: str

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs a command inside."""
        return ["ip", "netns", "exec", self.name, *arguments]

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run(*self.command(*arguments), check=check)

    def tables(self) -> list[str]:
        """Names of nftables' tables inside."""
        found = json.loads(self.run("nft", "-j", "list", "tables").stdout)["nftables"]
        return [entry["table"]["name"] for entry in found if "table" in entry]


@contextmanager
def namespaces(*names: str) -> Iterator[tuple[str, dict[str, Namespace]]]:
    """A bridge's address on this machine, and namespaces behind it; all gone afterwards."""
    mark = secrets.token_hex(3)
    network = f"10.{secrets.randbelow(40) + 200}.{secrets.randbelow(250)}"
    bridge, host = f"vb{mark}", f"{network}.1"
    with ExitStack() as stack:
        run("ip", "link", "add", bridge, "type", "bridge")
        stack.callback(run, "ip", "link", "del", bridge)
        run("ip", "address", "add", f"{host}/24", "dev", bridge)
        run("ip", "link", "set", bridge, "up")
        made = {}
        for number, name in enumerate(names, start=2):
            one = Namespace(f"vt{mark}{name}", f"{network}.{number}")
            run("ip", "netns", "add", one.name)
            stack.callback(run, "ip", "netns", "del", one.name)
            _connect(one, bridge, f"v{mark}{number}", host)
            made[name] = one
        yield host, made


def _connect(one: Namespace, bridge: str, outer: str, host: str) -> None:
    run("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", one.name)
    run("ip", "link", "set", outer, "master", bridge, "up")
    one.run("ip", "link", "set", "lo", "up")
    one.run("ip", "address", "add", f"{one.address}/24", "dev", "eth0")
    one.run("ip", "link", "set", "eth0", "up")
    one.run("ip", "route", "add", "default", "via", host)


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, f"{command}: {done.stderr}{done.stdout}"
    return done
