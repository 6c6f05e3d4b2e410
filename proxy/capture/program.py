"""Giving a ruleset to the kernel, by the command ``nft``."""

import shutil
import subprocess

from vigla.errors import SettingsError, ViglaError

SYSTEM_PATHS = "/usr/sbin:/sbin:/usr/local/sbin"
"""Where Debian has ``nft``; a user's own PATH often lacks these."""

_TIMEOUT_S = 30.0
_DENIED = "Operation not permitted"
_NO_SUPPORT = ("Operation not supported", "Protocol not supported")


def program(text: str) -> None:
    """Make a ruleset the kernel's, of the network namespace that this process is in: all of it or nothing.

    Raises:
        SettingsError: this machine or this process cannot.
        ViglaError: the ruleset was refused.
    """
    try:
        done = subprocess.run(  # noqa: S603  a fixed command; the rules come over its input
            [nft(), "-f", "-"], input=text, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ViglaError(f"nft did not end within {_TIMEOUT_S:.0f} s") from None
    if done.returncode:
        raise _failure(done.stderr.strip())


def nft() -> str:
    """Path of the command.

    Raises:
        SettingsError: it is not installed.
    """
    found = shutil.which("nft") or shutil.which("nft", path=SYSTEM_PATHS)
    if found is None:
        raise SettingsError("there is no command nft here: apt-get install nftables")
    return found


def _failure(said: str) -> ViglaError:
    if _DENIED in said:
        return SettingsError(
            "capture needs the capability NET_ADMIN: run as root, or give the container NET_ADMIN "
            "(docker run --cap-add NET_ADMIN)"
        )
    if any(text in said for text in _NO_SUPPORT):
        return SettingsError(f"this kernel cannot redirect by nftables (CONFIG_NFT_REDIR): nft says: {said}")
    return ViglaError(f"nft refused the rules: {said}")
