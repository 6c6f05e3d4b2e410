"""Opens the engine and the DuckLake catalog of a directory."""

import sysconfig
from pathlib import Path

import duckdb
import sqlalchemy as sa

from vigla.errors import StorageUnavailable
from vigla.settings import StorageSettings
from vigla.storage import sandbox
from vigla.storage.failures import of_write
from vigla.storage.statements import text_of

EXTENSIONS = ("ducklake",)  # json and parquet are built into the engine

# The data path is overridden because the directory may have been moved; inlining is for offsets only.
_ATTACH = sa.text(
    "ATTACH :catalog AS lake (DATA_PATH :data, OVERRIDE_DATA_PATH true, DATA_INLINING_ROW_LIMIT 0)"
)


def open_engine(memory_bytes: int, threads: int) -> duckdb.DuckDBPyConnection:
    """An in-memory engine of its own, not yet confined."""
    connection = duckdb.connect(":memory:", config={"memory_limit": f"{memory_bytes}B", "threads": threads})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET parquet_metadata_cache = true")  # files never change; saves 5 ms for 30 footers
    return connection


def open_catalog(settings: StorageSettings) -> duckdb.DuckDBPyConnection:
    """An engine with the catalog of ``settings.path`` attached as ``lake``, created when missing.

    Raises:
        StorageUnavailable: another process holds the catalog, or the directory cannot be used.
    """
    root = settings.path.resolve()
    with of_write(f"use {root}: check storage.path"):
        data_directory(root).mkdir(parents=True, exist_ok=True)
    connection = open_engine(settings.memory_limit_bytes, settings.threads)
    connection.execute("SET temp_directory = ?", [str(root / "spill")])
    for extension in EXTENSIONS:
        connection.load_extension(str(_extension(extension)))
    sandbox.harden(connection, root)
    _attach(connection, root)
    return connection


def catalog_file(root: Path) -> Path:
    """The catalog: a DuckDB database."""
    return root / "catalog.ducklake"


def data_directory(root: Path) -> Path:
    """Directory of the lake's files; each table has its own in it."""
    return root / "lake" / "main"


def _attach(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    catalog = catalog_file(root)
    attach = _ATTACH.bindparams(catalog=f"ducklake:{catalog}", data=f"{root / 'lake'}/")
    try:
        connection.execute(text_of(attach))
    except duckdb.Error as error:
        connection.close()
        if "lock" in str(error) or "already attached" in str(error):
            raise StorageUnavailable(
                f"{catalog} is held by another process: stop it, or set storage.path to another directory "
                f"({error})"
            ) from error
        raise StorageUnavailable(f"cannot open {catalog}: {error}") from error


def _extension(name: str) -> Path:
    """The extension file from the wheel ``duckdb-extension-<name>``, of exactly the engine's version.

    Raises:
        StorageUnavailable: the wheel is missing or of another version.
    """
    folder = Path(sysconfig.get_path("purelib")) / f"duckdb_extension_{name}" / "extensions"
    path = folder / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.exists():
        raise StorageUnavailable(f"{path} is missing: install duckdb-extension-{name}=={duckdb.__version__}")
    return path
