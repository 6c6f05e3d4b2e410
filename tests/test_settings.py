"""Settings: precedence, and refusal of what is unknown or out of range."""

from pathlib import Path

import pytest

from vigla.errors import SettingsError
from vigla.settings import load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vigla.yaml"
    path.write_text("query:\n  http_port: 1\n  host: 10.0.0.1\ncollector:\n  otlp_grpc_port: 2\n")
    return path


def test_defaults_listen_on_loopback_only() -> None:
    settings = load(environment={})
    assert {settings.collector.host, settings.query.host, settings.telemetry.host} == {"127.0.0.1"}


def test_file_then_environment_then_options(file: Path) -> None:
    settings = load(
        file,
        {"query": {"http_port": 4}},
        {"VIGLA_QUERY__HTTP_PORT": "3", "VIGLA_COLLECTOR__OTLP_GRPC_PORT": "5"},
    )
    assert (settings.query.http_port, settings.query.host, settings.collector.otlp_grpc_port) == (
        4,
        "10.0.0.1",
        5,
    )


def test_file_named_by_variable(file: Path) -> None:
    assert load(environment={"VIGLA_CONFIG": str(file)}).query.http_port == 1


def test_file_in_the_working_directory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    assert load(environment={}).query.http_port == 1


def test_empty_file_means_defaults(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("")
    assert load(path, environment={}) == load(environment={})


def test_list_in_a_variable() -> None:
    settings = load(environment={"VIGLA_INGESTER__PROMOTED": "[user.id, order.total:int]"})
    assert settings.ingester.promoted == ("user.id", "order.total:int")


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("VIGLA_QUERY__HTTP_PROT", "query.http_prot"),
        ("VIGLA_QUERRY__HTTP_PORT", "VIGLA_QUERRY__HTTP_PORT"),
        ("VIGLA_DEBUG", "VIGLA_DEBUG"),
    ],
)
def test_unknown_variable_is_refused_by_name(variable: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(environment={variable: "1"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("query:\n  htp_port: 1", "query.htp_port"),
        ("qery:\n  http_port: 1", "qery"),
        ("query:\n  http_port: 70000", "query.http_port"),
        ("ingester:\n  flush_rows: 0", "ingester.flush_rows"),
        ("telemetry:\n  log_level: loud", "telemetry.log_level"),
        ("- query", "expected sections"),
        ("query: 1", "expected sections"),
        ("query: [", "cannot read settings"),
    ],
)
def test_bad_file_is_refused_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        load(path, environment={})


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read settings"):
        load(tmp_path / "none.yaml", environment={})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(environment={}).query.http_port = 1  # type: ignore[misc]
