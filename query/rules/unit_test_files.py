"""Files of tests of rules, as ``promtool test rules`` reads them.

Source: Prometheus, "Unit testing for rules".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from query.promql.errors import PromqlError
from query.promql.histogram import Histogram
from query.promql.memory import MemorySeries
from query.promql.notation import NotationError, Noted, read_histogram, read_row
from query.promql.series import Labels
from vigla.errors import BadInput
from vigla.prometheus.durations import parse_duration
from vigla.prometheus.yaml_reader import Reader, YamlError, read

MINUTE_MS = 60_000
_FILE = ("rule_files", "evaluation_interval", "group_eval_order", "fuzzy_compare", "tests")
_TEST = (
    "name",
    "interval",
    "input_series",
    "alert_rule_test",
    "promql_expr_test",
    "external_labels",
    "external_url",
    "start_timestamp",
)


class TestFileError(BadInput):
    """A test file that cannot be run."""

    __test__ = False


@dataclass(frozen=True, slots=True)
class AlertCheck:
    """Alerts of a rule that should fire at a time: labels and annotations."""

    at_ms: int
    name: str
    expected: tuple[tuple[Labels, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True)
class ExpressionCheck:
    """Elements that an expression should have at a time."""

    at_ms: int
    text: str
    expected: tuple[tuple[Labels, float | Histogram], ...]


@dataclass(frozen=True, slots=True)
class Test:
    """Series, and what is expected of rules over them; ``series`` get what rules record."""

    __test__ = False

    name: str
    series: MemorySeries
    alerts: tuple[AlertCheck, ...]
    expressions: tuple[ExpressionCheck, ...]
    external_labels: Mapping[str, str]
    external_url: str


@dataclass(frozen=True, slots=True)
class Suite:
    """A file of tests; ``order`` names groups that are evaluated before all others."""

    files: tuple[Path, ...]
    interval_ms: int
    order: tuple[str, ...]
    fuzzy: bool
    tests: tuple[Test, ...]


def read_suite(path: Path) -> Suite:
    """The tests of a file; rule files are found relative to it.

    Raises:
        TestFileError: the file is wrong.
    """
    try:
        return _suite(path)
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        raise TestFileError(f"{path}: {' '.join(str(error).split())}") from error


def _suite(path: Path) -> Suite:
    whole = read(path.read_text(encoding="utf-8"))
    whole.only(*_FILE)
    interval = _duration(whole, "evaluation_interval") or MINUTE_MS
    patterns = [node.value for node in whole.nodes("rule_files")]
    files = [found for each in patterns for found in _matching(path.parent, each)]

    return Suite(
        tuple(files),
        interval,
        tuple(node.value for node in whole.nodes("group_eval_order")),
        whole.text("fuzzy_compare") == "true",
        tuple(_test(entry, number) for number, entry in enumerate(whole.items("tests"), 1)),
    )


def _matching(folder: Path, pattern: str) -> list[Path]:
    found = [Path(pattern)] if Path(pattern).is_absolute() else sorted(folder.glob(pattern))
    if not found:
        raise YamlError(f"rule_files: no file is {pattern}")
    return found


def _test(entry: Reader, number: int) -> Test:
    entry.only(*_TEST)
    return Test(
        entry.text("name") or f"test {number}",
        _series(entry, _duration(entry, "interval") or MINUTE_MS),
        tuple(_alert_check(each) for each in entry.items("alert_rule_test")),
        tuple(_expression_check(each) for each in entry.items("promql_expr_test")),
        entry.texts("external_labels"),
        entry.text("external_url"),
    )


def _series(entry: Reader, interval_ms: int) -> MemorySeries:
    series = MemorySeries()
    for each in entry.items("input_series"):
        each.only("series", "values")
        try:
            row = read_row(f"{each.text('series')} {each.text('values')}")
        except (NotationError, PromqlError) as error:
            raise YamlError(f"{each.place}: {error}") from error
        for position, value in enumerate(row.values):
            if value is not None:
                kept = value.histogram if isinstance(value, Noted) else value
                series.append(row.labels, position * interval_ms, kept)
    return series


def _alert_check(entry: Reader) -> AlertCheck:
    entry.only("eval_time", "alertname", "exp_alerts")
    name = entry.text("alertname")
    if not name:
        raise YamlError(f"{entry.place}: alertname is missing")
    expected = []
    for alert in entry.items("exp_alerts"):
        alert.only("exp_labels", "exp_annotations")
        labels = {**alert.texts("exp_labels"), "alertname": name}
        expected.append(
            (tuple(sorted(labels.items())), tuple(sorted(alert.texts("exp_annotations").items())))
        )
    return AlertCheck(_duration(entry, "eval_time"), name, tuple(sorted(expected)))


def _expression_check(entry: Reader) -> ExpressionCheck:
    entry.only("expr", "eval_time", "exp_samples")
    expected: list[tuple[Labels, float | Histogram]] = []
    for sample in entry.items("exp_samples"):
        sample.only("labels", "value", "histogram")
        text = sample.text("labels") or "{}"
        try:
            labels = read_row(text).labels
        except (NotationError, PromqlError) as error:
            raise YamlError(f"{sample.place}: {error}") from error
        written = sample.text("histogram")
        expected.append(
            (labels, read_histogram(written).histogram if written else float(sample.text("value") or 0))
        )
    return ExpressionCheck(_duration(entry, "eval_time"), entry.text("expr"), tuple(expected))


def _duration(entry: Reader, name: str) -> int:
    text = entry.text(name)
    try:
        return parse_duration(text) if text else 0
    except ValueError as error:
        raise YamlError(f"{entry.place}: {name}: {error}") from error
