"""A PostgreSQL server of the tests' own, from Debian's package ``postgresql``."""

import os
import pwd
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from vigla.listen import reserve

ACCOUNTS = {"postgres", "nobody"}
SETTINGS = "-c fsync=off -c listen_addresses=127.0.0.1 -c unix_socket_directories="


def programs() -> Path | None:
    """Where the newest installed server's programs are."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((p.parent for p in found), key=lambda path: int(path.parent.name), default=None)


class Postgresql:
    """One running server. Use ``running``."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self._data = folder / "data"
        self._log = folder / "log"
        self._bin = bin_folder
        self._as = _other_account(folder)
        with reserve() as listener:
            self.port: int = listener.getsockname()[1]

    def create(self) -> None:
        """Make the cluster."""
        self._run("initdb", "--auth=trust", "--username=mesh", "--encoding=UTF8", "--no-sync")

    def start(self) -> None:
        """Returns once connections are accepted."""
        self._run("pg_ctl", "start", "--wait", f"--log={self._log}", f"--options=-p {self.port} {SETTINGS}")

    def stop(self) -> None:
        """Returns once the server is gone; open connections are closed."""
        self._run("pg_ctl", "stop", "--wait", "--mode=fast")

    def restart(self) -> None:
        """Every connection breaks."""
        self.stop()
        self.start()

    def empty_database(self) -> str:
        """URL of a new database."""
        name = f"mesh_{uuid.uuid4().hex}"
        address = f"mesh@127.0.0.1:{self.port}"
        with psycopg.connect(f"postgresql://{address}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://{address}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._bin / program), f"--pgdata={self._data}", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120, cwd="/")


@contextmanager
def running(bin_folder: Path) -> Iterator[Postgresql]:
    """A server while inside."""
    folder = Path(mkdtemp(prefix="postgresql-"))  # pytest's folders are closed to other accounts
    try:
        server = Postgresql(folder, bin_folder)
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _other_account(folder: Path) -> list[str]:
    """How to run a program as somebody else than root, which PostgreSQL refuses to be."""
    if os.geteuid() != 0:
        return []
    account = next(found for found in pwd.getpwall() if found.pw_name in ACCOUNTS)
    shutil.chown(folder, account.pw_uid)
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
