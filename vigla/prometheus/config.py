"""``prometheus.yml``: the parts that are followed, and names of those that are not.

Source: Prometheus 3, "Configuration". Every scalar is read as text first, as Prometheus' own reader does: a
label's value may be written ``true`` or ``1``.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from vigla.errors import SettingsError
from vigla.prometheus.durations import parse_duration
from vigla.prometheus.relabel import RelabelConfig
from vigla.prometheus.shown import shown

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGkmg]?)i?[Bb]?")


def _milliseconds(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = _SIZE.fullmatch(value)
    if found is None:
        raise ValueError(f"{value} is no size: write 100MB")
    return int(float(found[1]) * 1024 ** " kmg".index(found[2].lower() or " "))


Milliseconds = Annotated[int, BeforeValidator(_milliseconds)]
Size = Annotated[int, BeforeValidator(_bytes)]
Count = Annotated[int, Field(ge=0)]
"""A limit; 0: none."""


class Part(BaseModel):
    """A mapping of the file; a name that Prometheus does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BasicAuth(Part):
    """``basic_auth``."""

    username: str = ""
    username_file: Path | None = None
    password: str = ""
    password_file: Path | None = None


class Authorization(Part):
    """``authorization``."""

    type: str = "Bearer"
    credentials: str = ""
    credentials_file: Path | None = None


class TlsConfig(Part):
    """``tls_config``."""

    ca: str = ""
    ca_file: Path | None = None
    cert: str = ""
    cert_file: Path | None = None
    key: str = ""
    key_file: Path | None = None
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: str = ""
    max_version: str = ""


class HttpHeader(Part):
    """One of ``http_headers``."""

    values: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


class HttpClient(Part):
    """How requests are made, to targets and to HTTP service discovery."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    tls_config: TlsConfig = TlsConfig()
    follow_redirects: bool = True
    enable_http2: bool = True
    proxy_url: str = ""
    http_headers: Mapping[str, HttpHeader] = {}
    bearer_token: str = ""
    bearer_token_file: Path | None = None


class TargetGroup(Part):
    """Targets with labels; one of ``static_configs``, or of what service discovery gives."""

    targets: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}
    source: str = ""


class FileDiscovery(Part):
    """``file_sd_config``."""

    files: tuple[str, ...]
    refresh_interval: Milliseconds = 300_000


class HttpDiscovery(HttpClient):
    """``http_sd_config``."""

    url: str
    refresh_interval: Milliseconds = 60_000


class ScrapeConfig(HttpClient):
    """``scrape_config``; intervals of 0 are the global ones.

    Attributes:
        unsupported: service discovery that is given and not followed.
    """

    job_name: str = Field(min_length=1)
    scrape_interval: Milliseconds = 0
    scrape_timeout: Milliseconds = 0
    scrape_protocols: tuple[str, ...] = ()
    fallback_scrape_protocol: str = ""
    metrics_path: str = "/metrics"
    scheme: Literal["http", "https"] = "http"
    params: Mapping[str, tuple[str, ...]] = {}
    honor_labels: bool = False
    honor_timestamps: bool = True
    track_timestamps_staleness: bool = False
    enable_compression: bool = True
    body_size_limit: Size = 0
    sample_limit: Count = 0
    target_limit: Count = 0
    label_limit: Count = 0
    label_name_length_limit: Count = 0
    label_value_length_limit: Count = 0
    keep_dropped_targets: Count = 0
    scrape_classic_histograms: bool = False
    always_scrape_classic_histograms: bool = False
    convert_classic_histograms_to_nhcb: bool = False
    scrape_native_histograms: bool = False
    native_histogram_bucket_limit: Count = 0
    native_histogram_min_bucket_factor: float = 0
    metric_name_validation_scheme: str = ""
    metric_name_escaping_scheme: str = ""
    scrape_failure_log_file: str = ""
    extra_scrape_metrics: bool = False
    static_configs: tuple[TargetGroup, ...] = ()
    file_sd_configs: tuple[FileDiscovery, ...] = ()
    http_sd_configs: tuple[HttpDiscovery, ...] = ()
    relabel_configs: tuple[RelabelConfig, ...] = ()
    metric_relabel_configs: tuple[RelabelConfig, ...] = ()
    oauth2: Any = None
    unsupported: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _set_aside(cls, given: Any) -> Any:
        """Other service discovery is told of, and does not keep the rest from being followed."""
        if not isinstance(given, dict):
            return given
        others = [name for name in given if name.endswith("_sd_configs") and name not in cls.model_fields]
        rest = {name: value for name, value in given.items() if name not in others}
        return {**rest, "unsupported": tuple(others)}

    @field_validator("oauth2")
    @classmethod
    def _no_oauth2(cls, value: Any) -> Any:
        if value is not None:
            raise ValueError("oauth2 is not followed: give the token by authorization.credentials_file")
        return value


class GlobalConfig(BaseModel):
    """``global``; fields that concern no part that is followed are taken and left."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    scrape_interval: Milliseconds = 60_000
    scrape_timeout: Milliseconds = 10_000
    evaluation_interval: Milliseconds = 60_000
    external_labels: Mapping[str, str] = {}


_IGNORED = ("remote_write", "remote_read", "storage", "tracing", "otlp", "runtime", "alerting", "rule_files")


class PrometheusConfig(Part):
    """The whole file.

    Attributes:
        ignored: top-level parts that are given and not followed.
        text: the file as it may be shown.
    """

    global_: GlobalConfig = Field(GlobalConfig(), alias="global")
    scrape_configs: tuple[ScrapeConfig, ...] = ()
    scrape_config_files: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    text: str = ""

    @model_validator(mode="before")
    @classmethod
    def _set_aside(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        others = tuple(name for name in given if name in _IGNORED)
        return {**{name: value for name, value in given.items() if name not in others}, "ignored": others}

    @model_validator(mode="after")
    def _check(self) -> "PrometheusConfig":
        names = [each.job_name for each in self.scrape_configs]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f'found multiple scrape configs with job name "{doubled[0]}"')
        for each in self.scrape_configs:
            interval = each.scrape_interval or self.global_.scrape_interval
            if each.scrape_timeout > interval:
                job = f'scrape config with job name "{each.job_name}"'
                raise ValueError(f"scrape timeout greater than scrape interval for {job}")
        return self


def load(path: Path) -> PrometheusConfig:
    """Read a file, and the files that ``scrape_config_files`` names.

    Raises:
        SettingsError: it cannot be read, or something in it is wrong.
    """
    content = _document(path)
    found = list(content.get("scrape_configs") or ())
    for pattern in content.get("scrape_config_files") or ():
        for more in sorted(path.parent.glob(pattern)):
            found += _document(more).get("scrape_configs") or ()
    try:
        made = PrometheusConfig.model_validate({**content, "scrape_configs": found})
        return made.model_copy(update={"text": shown(content)})
    except ValidationError as error:
        lines = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise SettingsError(f"{path}: " + "; ".join(lines)) from error


def _document(path: Path) -> dict[str, Any]:
    try:
        # BaseLoader makes text of every scalar and nothing else
        content = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: {' '.join(str(error).split())}") from error
    if not content:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(f"{path}: expected a mapping")
    return {name: value for name, value in content.items() if value != ""}
