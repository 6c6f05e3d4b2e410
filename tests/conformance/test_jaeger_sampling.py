"""Strategies of Jaeger's own files, and what Jaeger answers for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from collector.sampling import StrategyFile
from vigla.errors import SettingsError

KINDS = ("PROBABILISTIC", "RATE_LIMITING")


@pytest.fixture
def files(jaeger_cases: Path) -> Path:
    return jaeger_cases / "sampling"


def said(answer: dict[str, Any]) -> dict[str, Any]:
    """Without bounds, which Jaeger's expectations leave out as they are 0."""
    operations = answer.get("operationSampling")
    if operations is None:
        return answer
    return answer | {"operationSampling": {k: v for k, v in operations.items() if "Bound" not in k}}


@pytest.mark.parametrize("service", ["ServiceA", "ServiceB"])
def test_services_without_operations_get_those_of_the_default(files: Path, service: str) -> None:
    expected = json.loads((files / f"TestServiceNoPerOperationStrategies_{service}.json").read_text())
    expected["strategyType"] = KINDS[expected.get("strategyType", 0)]
    assert said(StrategyFile(files / "service_no_per_operation.json").of(service)) == expected


def test_rates_of_operations_per_second_are_passed_over(files: Path) -> None:
    file = StrategyFile(files / "operation_strategies.json")
    found = {
        service: {
            strategy["operation"]: strategy["probabilisticSampling"]["samplingRate"]
            for strategy in file.of(service)["operationSampling"]["perOperationStrategies"]
        }
        for service in ("foo", "bar", "other")
    }
    assert found == {
        "foo": {"op6": 0.5, "op1": 0.2, "op0": 0.2, "op7": 1},
        "bar": {"op3": 0.3, "op5": 0.4, "op0": 0.2, "op6": 0, "op7": 1},
        "other": {"op0": 0.2, "op6": 0, "op7": 1},
    }


def test_a_service_without_a_type_gets_jaegers_default(files: Path) -> None:
    file = StrategyFile(files / "missing-service-types.json")
    assert file.of("foo")["probabilisticSampling"] == {"samplingRate": 0.001}
    assert file.of("foo")["operationSampling"]["defaultSamplingProbability"] == 0.001
    assert file.of("other")["probabilisticSampling"] == {"samplingRate": 0.5}


def test_nonsense_is_refused(files: Path) -> None:
    with pytest.raises(SettingsError):
        StrategyFile(files / "bad_strategies.json")
