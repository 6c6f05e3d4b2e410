"""Sampling strategies: of the file, of the collector, and while it is away."""

import json
from pathlib import Path

import httpx
import pytest

from collector.sampling import StrategyFile
from tests.collector.agent.conftest import StartAgent
from tests.collector.conftest import StartCollector
from vigla.errors import SettingsError

STRATEGIES = {
    "default_strategy": {
        "type": "probabilistic",
        "param": 0.5,
        "operation_strategies": [
            {"operation": "/health", "type": "probabilistic", "param": 0},
            {"operation": "/pay", "type": "probabilistic", "param": 0.1},
        ],
    },
    "service_strategies": [
        {"service": "shop", "type": "probabilistic", "param": 0.8},
        {"service": "bank", "type": "ratelimiting", "param": 5},
        {
            "service": "till",
            "type": "probabilistic",
            "param": 0.2,
            "operation_strategies": [
                {"operation": "/pay", "type": "probabilistic", "param": 1},
                {"operation": "/slow", "type": "ratelimiting", "param": 2},
            ],
        },
    ],
}
PROBABILISTIC = {"strategyType": "PROBABILISTIC", "probabilisticSampling": {"samplingRate": 0.001}}


@pytest.fixture
def strategies(tmp_path: Path) -> Path:
    path = tmp_path / "strategies.json"
    path.write_text(json.dumps(STRATEGIES))
    return path


def operations(answer: dict) -> dict[str, float]:
    listed = answer["operationSampling"]["perOperationStrategies"]
    return {s["operation"]: s["probabilisticSampling"]["samplingRate"] for s in listed}


def test_services_and_operations_have_their_own_strategies(strategies: Path) -> None:
    file = StrategyFile(strategies)
    assert file.of("other")["probabilisticSampling"] == {"samplingRate": 0.5}
    assert operations(file.of("other")) == {"/health": 0, "/pay": 0.1}
    assert file.of("shop")["probabilisticSampling"] == {"samplingRate": 0.8}
    assert file.of("shop")["operationSampling"]["defaultSamplingProbability"] == 0.8
    assert operations(file.of("till")) == {"/pay": 1, "/health": 0}
    assert file.of("bank")["strategyType"] == "RATE_LIMITING"
    assert file.of("bank")["rateLimitingSampling"] == {"maxTracesPerSecond": 5}
    assert StrategyFile(None).of("any") == PROBABILISTIC


def test_a_changed_file_holds_at_once_and_a_broken_one_changes_nothing(strategies: Path) -> None:
    file = StrategyFile(strategies)
    strategies.write_text('{"default_strategy": {"type": "probabilistic", "param": 0.25}}')
    assert file.of("shop")["probabilisticSampling"] == {"samplingRate": 0.25}
    strategies.write_text('{"default_strategy": {"type": "often"}}')
    assert file.of("shop")["probabilisticSampling"] == {"samplingRate": 0.25}
    strategies.unlink()
    assert file.of("shop")["probabilisticSampling"] == {"samplingRate": 0.25}


def test_a_file_that_is_wrong_at_the_start_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "strategies.json"
    path.write_text('{"service_strategies": [{"service": "a", "type": "often"}]}')
    with pytest.raises(SettingsError, match=r"service_strategies.0.type"):
        StrategyFile(path)


@pytest.mark.parametrize("path", ["/sampling", "/", "/api/sampling"])
async def test_the_agent_asks_the_collector_and_remembers_while_it_is_away(
    start_agent: StartAgent, start_collector: StartCollector, strategies: Path, path: str
) -> None:
    collector = await start_collector(sampling_strategies=str(strategies))
    agent = await start_agent(str(collector.http.base_url))
    url = f"http://127.0.0.1:{agent.ports.sampling}{path}"
    async with httpx.AsyncClient() as client:
        answer = await client.get(url, params={"service": "bank"})
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["rateLimitingSampling"] == {"maxTracesPerSecond": 5}
        await collector.collector.stop()
        assert (await client.get(url, params={"service": "bank"})).json() == answer.json()
        assert (await client.get(url, params={"service": "new"})).json() == PROBABILISTIC
        for query in ("", "?service=a&service=b"):
            wrong = await client.get(url + query)
            assert (wrong.status_code, wrong.text) == (400, "'service' parameter must be provided once\n")


async def test_the_agent_reads_a_file_of_its_own(start_agent: StartAgent, strategies: Path) -> None:
    agent = await start_agent("http://127.0.0.1:9", collector={"sampling_strategies": str(strategies)})
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{agent.ports.sampling}/sampling?service=shop")
    assert answer.json()["probabilisticSampling"] == {"samplingRate": 0.8}
