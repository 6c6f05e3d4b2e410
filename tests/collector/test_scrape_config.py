"""``prometheus.yml`` and the targets it makes."""

from pathlib import Path

import pytest

from collector.scrape.targets import resolve
from vigla.errors import SettingsError
from vigla.prometheus.config import PrometheusConfig, load

FILE = """
global:
  scrape_interval: 15s
  external_labels: {zone: eu}
  query_log_file: x
rule_files: [a.yml]
alerting: {alertmanagers: [{static_configs: [{targets: [b]}]}]}
remote_write: [{url: http://c}]
scrape_config_files: [more-*.yml]
scrape_configs:
  - job_name: web
    metrics_path: m
    scheme: https
    params: {module: [http_2xx, other]}
    body_size_limit: 10MB
    sample_limit: 100
    honor_labels: true
    basic_auth: {username: u, password: p}
    tls_config: {insecure_skip_verify: true}
    kubernetes_sd_configs: [{role: pod}]
    static_configs:
      - targets: ['a:1', 'b:2', 'a:1', 'c/d', 'drop:1']
        labels: {on: true, n: 1}
    relabel_configs:
      - {source_labels: [__address__], regex: 'drop:.*', action: drop}
      - {source_labels: [__param_module], target_label: module}
"""


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "p.yml").write_text(FILE)
    (tmp_path / "more-1.yml").write_text("scrape_configs: [{job_name: other}]")
    config = load(tmp_path / "p.yml")
    assert config.ignored == ("rule_files", "alerting", "remote_write")
    web, other = config.scrape_configs
    assert (web.body_size_limit, web.sample_limit, web.honor_labels) == (10 * 1024**2, 100, True)
    assert (web.unsupported, other.job_name) == (("kubernetes_sd_configs",), "other")
    resolved = resolve(web.static_configs, web, config.global_)
    assert resolved.problems == ('c/d: "c/d" is not a valid hostname',)
    assert [labels["__address__"] for labels in resolved.dropped] == ["drop:1"]
    first, second = resolved.targets
    assert (first.url, first.interval_ms, first.timeout_ms) == (
        "https://a:1/m?module=http_2xx",
        15_000,
        10_000,
    )
    assert dict(first.labels) == {
        "instance": "a:1",
        "job": "web",
        "module": "http_2xx",
        "on": "true",
        "n": "1",
    }
    assert dict(second.labels)["instance"] == "b:2"
    assert first.discovered["__scrape_interval__"] == "15s"


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "p.yml").write_text("")
    assert load(tmp_path / "p.yml") == PrometheusConfig()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scrape_configs: [{}]", "job_name: Field required"),
        ("scrape_configs: [{job_name: a}, {job_name: a}]", 'multiple scrape configs with job name "a"'),
        ("scrape_configs: [{job_name: a, scrape_interval: 5}]", "not a valid duration"),
        ("scrape_configs: [{job_name: a, scrape_interval: 5s, scrape_timeout: 6s}]", "timeout greater than"),
        ("scrape_configs: [{job_name: a, static_config: []}]", "static_config: Extra inputs"),
        ("scrape_configs: [{job_name: a, body_size_limit: 3X}]", "3X is no size"),
        ("scrape_configs: [{job_name: a, oauth2: {client_id: b}}]", "oauth2 is not followed"),
        (
            "scrape_configs: [{job_name: a, relabel_configs: [{action: drop, regex: '('}]}]",
            "error parsing regexp",
        ),
        ("scrape_config: []", "scrape_config: Extra inputs"),
        ("[", "while parsing"),
        ("- a", "expected a mapping"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "p.yml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        load(tmp_path / "p.yml")
    assert told in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "none.yml")
