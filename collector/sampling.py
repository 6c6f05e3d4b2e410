"""Sampling strategies of services, from a file in Jaeger's format, as Jaeger's clients are told them.

Source: Jaeger "Remote sampling", and its ``internal/sampling/samplingstrategy/file``. A service gets its own
strategy, else the default one; operations of the default one hold for every service that does not name them.
"""

import logging
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import QueryParams

from vigla.errors import BadInput, SettingsError

log = logging.getLogger(__name__)

DEFAULT_PROBABILITY = 0.001
PATHS = frozenset({"/sampling", "/api/sampling"})

Answer = dict[str, Any]
Stamp = tuple[int, int, int]


class Strategy(BaseModel):
    """How spans of a service or an operation are chosen."""

    type: Literal["probabilistic", "ratelimiting"] = "probabilistic"
    param: float = Field(DEFAULT_PROBABILITY, ge=0)


class OperationStrategy(Strategy):
    """Of one operation."""

    operation: str


class ServiceStrategy(Strategy):
    """Of a service: what holds for it, and for operations of it."""

    operation_strategies: tuple[OperationStrategy, ...] = ()


class NamedServiceStrategy(ServiceStrategy):
    """Of the service that it names."""

    service: Annotated[str, Field(min_length=1)]


class Strategies(BaseModel):
    """The file."""

    default_strategy: ServiceStrategy | None = None
    service_strategies: tuple[NamedServiceStrategy, ...] = ()


class StrategyFile:
    """Answers for services; a file that changed is read again at the next question.

    Args:
        path: of the file; without one every service is told the probability 0.001, as by Jaeger.

    Raises:
        SettingsError: the file cannot be read or is not in this format.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._default: Answer = _answer(ServiceStrategy())
        self._services: dict[str, Answer] = {}
        self._stamp: Stamp | None = None
        if path is not None:
            self._stamp = _stamp(path)
            self._read(path)

    def of(self, service: str) -> Answer:
        """The strategy of a service, as JSON members."""
        if self._path is not None and (stamp := _stamp(self._path)) != self._stamp:
            self._stamp = stamp
            try:
                self._read(self._path)
            except SettingsError as error:
                log.warning("sampling strategies stay as they were: %s", error)
            else:
                log.info("sampling strategies read again")
        return self._services.get(service, self._default)

    def _read(self, path: Path) -> None:
        try:
            found = Strategies.model_validate_json(path.read_bytes())
        except OSError as error:
            raise SettingsError(f"cannot read {path} (collector.sampling_strategies): {error}") from error
        except ValidationError as error:
            lines = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise SettingsError(f"{path} holds no sampling strategies: {'; '.join(lines)}") from error
        self._default = _answer(found.default_strategy or ServiceStrategy())
        self._services = {s.service: _merged(_answer(s), self._default) for s in found.service_strategies}


def service_asked(query: bytes) -> str:
    """The service that a query string asks for.

    Raises:
        BadInput: none, or more than one.
    """
    asked = QueryParams(query).getlist("service")
    if len(asked) != 1 or not asked[0]:
        raise BadInput("'service' parameter must be provided once")
    return asked[0]


def written(answer: Answer) -> bytes:
    """The body of an answer."""
    return orjson.dumps(answer)


def _stamp(path: Path) -> Stamp | None:
    """What changes when a file is written or replaced; None while it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _answer(strategy: ServiceStrategy) -> Answer:
    answer = _simple(strategy)
    if not strategy.operation_strategies:
        return answer
    rate = strategy.param if strategy.type == "probabilistic" else DEFAULT_PROBABILITY
    # clients have no rates for operations: such strategies are passed over, as by Jaeger
    usable = [s for s in strategy.operation_strategies if s.type == "probabilistic"]
    operations = [
        {"operation": s.operation, "probabilisticSampling": {"samplingRate": s.param}} for s in usable
    ]
    return answer | {"operationSampling": _operations(rate, operations)}


def _simple(strategy: Strategy) -> Answer:
    if strategy.type == "ratelimiting":
        return {
            "strategyType": "RATE_LIMITING",
            "rateLimitingSampling": {"maxTracesPerSecond": int(strategy.param)},
        }
    return {"strategyType": "PROBABILISTIC", "probabilisticSampling": {"samplingRate": strategy.param}}


def _operations(rate: float, operations: list[Answer]) -> Answer:
    return {
        "defaultSamplingProbability": rate,
        "defaultLowerBoundTracesPerSecond": 0,
        "perOperationStrategies": operations,
        "defaultUpperBoundTracesPerSecond": 0,
    }


def _merged(own: Answer, default: Answer) -> Answer:
    """A service's answer with the operations of the default one that it does not name itself."""
    if "operationSampling" not in default:
        return own
    shared = default["operationSampling"]
    if "operationSampling" not in own:
        rate = own.get("probabilisticSampling", {}).get("samplingRate", shared["defaultSamplingProbability"])
        return own | {"operationSampling": shared | {"defaultSamplingProbability": rate}}
    mine = own["operationSampling"]
    named = {s["operation"] for s in mine["perOperationStrategies"]}
    added = [s for s in shared["perOperationStrategies"] if s["operation"] not in named]
    return own | {
        "operationSampling": mine | {"perOperationStrategies": mine["perOperationStrategies"] + added}
    }
