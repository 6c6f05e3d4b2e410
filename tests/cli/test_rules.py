"""``vigla rules``; where promtool is installed it judges the same files."""

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vigla.cli.main import app

RULES = """
groups:
  - name: g
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: up == 0
        for: 2m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.instance }} of {{ $labels.job }}, {{ $value | humanize }}"}
"""
TESTS = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - name: one
    interval: 1m
    input_series:
      - {series: 'up{job="web", instance="a"}', values: '1 0x5 1'}
      - {series: 'up{job="web", instance="b"}', values: '1+0x6'}
      - {series: 'size_total', values: '0+1.5x6'}
    alert_rule_test:
      - {eval_time: 2m, alertname: Down}
      - eval_time: 4m
        alertname: Down
        exp_alerts:
          - exp_labels: {severity: page, job: web, instance: a}
            exp_annotations: {summary: "a of web, 0"}
    promql_expr_test:
      - expr: job:up:sum
        eval_time: 3m
        exp_samples: [{labels: 'job:up:sum{job="web"}', value: 1}]
      - expr: increase(size_total[2m1s])
        eval_time: 4m
        exp_samples: [{labels: '{}', value: 3.025}]
      - expr: ALERTS{alertstate="firing"}
        eval_time: 4m
        exp_samples:
          - labels: 'ALERTS{alertname="Down", alertstate="firing", instance="a", job="web", severity="page"}'
            value: 1
"""
promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def rules(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["rules", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "tests.yml").write_text(TESTS)
    return tmp_path


def test_a_right_file(folder: Path) -> None:
    code, output = rules("check", str(folder / "rules.yml"))
    assert code == 0
    assert "1 recording and 1 alerting rules" in output


def test_a_wrong_file_is_told_beside_a_right_one(folder: Path) -> None:
    (folder / "wrong.yml").write_text("groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]")
    code, output = rules("check", str(folder / "wrong.yml"), str(folder / "rules.yml"))
    assert code == 1
    assert 'group "g", rule 1, "a": could not parse expression' in output
    assert "SUCCESS" in output


def test_rules_that_write_over_each_other_are_told(folder: Path) -> None:
    (folder / "twice.yml").write_text(
        "groups: [{name: g, rules: [{record: a, expr: '1'}, {record: a, expr: '2'}]}]"
    )
    code, output = rules("check", str(folder / "twice.yml"))
    assert code == 0
    assert "a is made 2 times" in output


def test_tests_pass(folder: Path) -> None:
    assert rules("test", str(folder / "tests.yml")) == (0, f"{folder / 'tests.yml'}\n  SUCCESS one\n")


@promtool
def test_promtool_agrees(folder: Path) -> None:
    ran = subprocess.run(
        ["promtool", "test", "rules", "tests.yml"], cwd=folder, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("value: 1}", "value: 2}", ['job:up:sum{job="web"} 1.0', 'job:up:sum{job="web"} 2.0']),
        ("eval_time: 2m", "eval_time: 3m", ["alertname: Down, time: 3m", "exp: nothing"]),
        ("a of web, 0", "a of web", ['summary="a of web"', 'summary="a of web, 0"']),
        ("instance: a}", "instance: c}", ['instance="c"']),
        ("increase(", "increas(", ["unknown function"]),
    ],
)
def test_failures_say_what_was_expected_and_what_came(
    folder: Path, old: str, new: str, told: list[str]
) -> None:
    path = folder / "tests.yml"
    path.write_text(TESTS.replace(old, new))
    code, output = rules("test", str(path))
    assert code == 1
    assert "FAILED one" in output
    for each in told:
        assert each in output
    if shutil.which("promtool"):
        assert subprocess.run(
            ["promtool", "test", "rules", path], capture_output=True, check=False
        ).returncode


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rule_files: [none.yml]", "no file is none.yml"),
        ("tests: [{input_series: [{series: 'up{', values: '1'}]}]", "1:25"),
        ("tests: [{input_series: [{series: 'up', values: 'x'}]}]", "no value: 'x'"),
        ("test: []", "field test not found"),
        ("tests: [{alert_rule_test: [{eval_time: 1m}]}]", "alertname is missing"),
        ("[", "while parsing"),
    ],
)
def test_a_wrong_test_file(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "tests.yml"
    path.write_text(text)
    code, output = rules("test", str(path))
    assert code == 1
    assert told in output


def test_native_histograms(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text("groups: [{name: g, rules: [{record: s, expr: sum(h)}]}]")
    (tmp_path / "tests.yml").write_text(
        """
rule_files: [rules.yml]
tests:
  - input_series: [{series: h, values: '{{schema:0 count:3 sum:4 buckets:[1 2]}}x3'}]
    promql_expr_test:
      - expr: s
        eval_time: 2m
        exp_samples: [{labels: s, histogram: '{{schema:0 count:3 sum:4 buckets:[1 2]}}'}]
"""
    )
    code, output = rules("test", str(tmp_path / "tests.yml"))
    assert (code, "SUCCESS test 1" in output) == (0, True), output
