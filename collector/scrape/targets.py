"""Targets from what discovery gives, by relabelling. Source: Prometheus, "Configuration"."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from vigla.errors import BadInput
from vigla.prometheus.config import GlobalConfig, ScrapeConfig, TargetGroup
from vigla.prometheus.durations import format_duration, parse_duration
from vigla.prometheus.relabel import relabelled

ADDRESS, SCHEME, PATH = "__address__", "__scheme__", "__metrics_path__"
INTERVAL, TIMEOUT, PARAMETER = "__scrape_interval__", "__scrape_timeout__", "__param_"
_SCHEMES = ("http", "https")


class BadTarget(BadInput):
    """What discovery and relabelling made is no target."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is scraped.

    Attributes:
        discovered: labels before relabelling.
        labels: of its series, as sorted pairs.
        url: with parameters.
        interval_ms, timeout_ms: of its scrapes.
    """

    discovered: Mapping[str, str]
    labels: tuple[tuple[str, str], ...]
    url: str
    interval_ms: int
    timeout_ms: int

    @property
    def key(self) -> tuple[object, ...]:
        """Two targets with the same key are one."""
        return (self.labels, self.url, self.interval_ms, self.timeout_ms)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The targets of a scrape configuration, what relabelling dropped, and what is wrong with others."""

    targets: tuple[Target, ...]
    dropped: tuple[Mapping[str, str], ...]
    problems: tuple[str, ...]


def resolve(groups: Sequence[TargetGroup], config: ScrapeConfig, defaults: GlobalConfig) -> Resolved:
    """The targets that groups stand for, each once."""
    targets: dict[tuple[object, ...], Target] = {}
    dropped: list[Mapping[str, str]] = []
    problems: list[str] = []
    for discovered in _discovered(groups, config, defaults):
        labels = relabelled(discovered, config.relabel_configs)
        if labels is None or not labels.get(ADDRESS):
            dropped.append(discovered)
            continue
        try:
            target = _target(discovered, labels)
        except BadTarget as error:
            problems.append(f"{discovered.get(ADDRESS)}: {error}")
            continue
        targets.setdefault(target.key, target)
    return Resolved(tuple(targets.values()), tuple(dropped), tuple(problems))


def _discovered(
    groups: Sequence[TargetGroup], config: ScrapeConfig, defaults: GlobalConfig
) -> Iterator[dict[str, str]]:
    interval = config.scrape_interval or defaults.scrape_interval
    timeout = config.scrape_timeout or min(defaults.scrape_timeout, interval)
    given = {
        "job": config.job_name,
        SCHEME: config.scheme,
        PATH: config.metrics_path,
        INTERVAL: format_duration(interval),
        TIMEOUT: format_duration(timeout),
        **{PARAMETER + name: values[0] for name, values in config.params.items() if values},
    }
    for group in groups:
        for address in group.targets:
            yield {**given, **group.labels, ADDRESS: address}


def _target(discovered: Mapping[str, str], labels: dict[str, str]) -> Target:
    address, scheme = labels[ADDRESS], labels.get(SCHEME, "http")
    if "/" in address:
        raise BadTarget(f'"{address}" is not a valid hostname')
    if scheme not in _SCHEMES:
        raise BadTarget(f"scheme {scheme} is neither http nor https")
    interval, timeout = (_duration(labels, name) for name in (INTERVAL, TIMEOUT))
    if timeout > interval:
        raise BadTarget(f"scrape timeout cannot be greater than scrape interval ({timeout} > {interval} ms)")
    parameters = {
        name.removeprefix(PARAMETER): value for name, value in labels.items() if name.startswith(PARAMETER)
    }
    path = labels.get(PATH, "/metrics")
    url = f"{scheme}://{address}{path if path.startswith('/') else '/' + path}"
    if parameters:
        url += ("&" if "?" in url else "?") + urlencode(sorted(parameters.items()))
    labels.setdefault("instance", address)
    kept = tuple(sorted((name, value) for name, value in labels.items() if not name.startswith("__")))
    return Target(discovered, kept, url, interval, timeout)


def _duration(labels: Mapping[str, str], name: str) -> int:
    try:
        found = parse_duration(labels.get(name, ""))
    except ValueError as error:
        raise BadTarget(f"{name}: {error}") from error
    if not found:
        raise BadTarget(f"{name} cannot be 0")
    return found
