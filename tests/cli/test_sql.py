"""``vigla sql``: output, formats, prompt."""

import io
import json
import os
import pty
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from vigla.cli.main import app
from vigla.errors import QueryError, SettingsError

runner = CliRunner()
QUERY = "SELECT service, count(*) AS n, NULL AS nothing FROM spans GROUP BY ALL ORDER BY service"


def run(sql_url: str, *arguments: str, stdin: str | None = None) -> str:
    result = runner.invoke(app, ["sql", "--url", sql_url, *arguments], input=stdin)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_csv_in_a_pipe_and_query_from_standard_input(sql_url: str):
    assert run(sql_url, QUERY).splitlines() == ['"service","n","nothing"', '"bank",2,', '"shop",2,']
    assert run(sql_url, stdin="SELECT 1 AS a;").splitlines() == ['"a"', "1"]


def test_table_aligns_numbers_to_the_right(sql_url: str):
    lines = run(sql_url, "SELECT 'a' AS t, 5 AS number UNION ALL SELECT 'bbb', 4000", "--format", "table")
    assert "│ a   │      5 │" in lines
    assert "│ bbb │   4000 │" in lines
    assert "2 rows" in lines


def test_json(sql_url: str):
    assert json.loads(run(sql_url, QUERY, "--format", "json"))["row_count"] == 2


@pytest.mark.parametrize("name", ["out.parquet", "out.json", "out.csv", "out.arrow"])
def test_file_in_the_format_of_its_suffix(sql_url: str, tmp_path: Path, name: str):
    path = tmp_path / name
    assert run(sql_url, QUERY, "-o", str(path)) == ""
    expected = {".parquet": b"PAR1", ".json": b'{"col', ".csv": b'"serv', ".arrow": b"\xff\xff\xff\xff"}
    assert path.read_bytes().startswith(expected[path.suffix])
    if path.suffix == ".parquet":
        assert pq.read_table(path).num_rows == 2


def test_table_to_a_file(sql_url: str, tmp_path: Path):
    path = tmp_path / "out.txt"
    run(sql_url, QUERY, "--format", "table", "-o", str(path))
    assert "bank" in path.read_text()


def test_wrong_query_raises_the_servers_error(sql_url: str):
    with pytest.raises(QueryError, match="no table"):
        run(sql_url, "FROM nope")


def test_binary_is_not_written_to_a_terminal(sql_url: str, monkeypatch: pytest.MonkeyPatch):
    parent, child = pty.openpty()
    with os.fdopen(parent), os.fdopen(child, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        with pytest.raises(SettingsError, match="binary"):
            app(["sql", "--url", sql_url, QUERY, "--format", "arrow"], standalone_mode=False)


class Keyboard(io.StringIO):
    """Lines as if typed at a terminal."""

    def isatty(self) -> bool:
        return True


def test_prompt(
    sql_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    typed = [
        "SELECT service",
        "FROM spans LIMIT 1;",
        "FROM nope;",
        r"\d",
        r"\d traces",
        r"\d nope",
        r"\?",
        "",
        r"\q",
    ]
    monkeypatch.setattr(sys, "stdin", Keyboard("\n".join(typed) + "\n"))
    app(["sql", "--url", sql_url], standalone_mode=False)
    screen = capsys.readouterr()
    assert "bank" in screen.out
    assert "archived_spans" in screen.out
    assert "root_service" in screen.out
    assert "Statements end with ;" in screen.out
    assert 'no table "nope"' in screen.err
    assert "no table nope: there are spans" in screen.err


def test_prompt_ends_with_its_input(
    sql_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", Keyboard("SELECT 41 + 1 AS answer;\n"))
    app(["sql", "--url", sql_url], standalone_mode=False)
    assert "42" in capsys.readouterr().out
