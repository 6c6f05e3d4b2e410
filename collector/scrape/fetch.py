"""One page of a target over HTTP, within bounds on time and size."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from vigla.errors import BadInput, SettingsError
from vigla.prometheus.config import HttpClient, HttpHeader, ScrapeConfig, TlsConfig
from vigla.wire.exposition.page import Format

ACCEPT = (
    "application/openmetrics-text;version=1.0.0;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
_FORMATS: dict[str, Format] = {
    "text/plain": "text",
    "application/openmetrics-text": "openmetrics",
    "PrometheusText0.0.4": "text",
    "PrometheusText1.0.0": "text",
    "OpenMetricsText0.0.1": "openmetrics",
    "OpenMetricsText1.0.0": "openmetrics",
}


class ScrapeFailed(BadInput):
    """The target gives no page that can be used; the message is shown as its last error."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as the target sent it."""

    body: bytes
    form: Format


def client_of(config: HttpClient) -> httpx.AsyncClient:
    """A client that reaches targets as the configuration says.

    Raises:
        SettingsError: a file it names cannot be read.
    """
    try:
        headers = [(name, value) for name, each in config.http_headers.items() for value in _values(each)]
        token = _token(config)
        if token:
            headers.append(("Authorization", token))
        return httpx.AsyncClient(
            auth=_basic(config),
            headers=headers,
            verify=_tls(config.tls_config),
            follow_redirects=config.follow_redirects,
            proxy=config.proxy_url or None,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=None),
        )
    except (OSError, ssl.SSLError, ValueError) as error:
        raise SettingsError(f"{error}") from error


async def fetch(
    client: httpx.AsyncClient, url: str, config: ScrapeConfig, timeout_s: float, most: int
) -> Fetched:
    """Get a page.

    Args:
        client: from ``client_of``.
        url: of the target.
        config: its configuration.
        timeout_s: told to the target; the caller keeps it.
        most: bytes a page may have, inflated.

    Raises:
        ScrapeFailed: no answer, another status than 200, no format that is read, or too long.
    """
    headers = {"Accept": ACCEPT, "X-Prometheus-Scrape-Timeout-Seconds": f"{timeout_s:g}"}
    if not config.enable_compression:
        headers["Accept-Encoding"] = "identity"
    limit = min(config.body_size_limit or most, most)
    try:
        async with client.stream("GET", url, headers=headers, timeout=None) as answer:
            if answer.status_code != httpx.codes.OK:
                reason = f"{answer.status_code} {answer.reason_phrase}".strip()
                raise ScrapeFailed(f"server returned HTTP status {reason}")
            form = _format(answer.headers.get("content-type", ""), config)
            parts, size = [], 0
            async for part in answer.aiter_bytes():
                size += len(part)
                if size > limit:
                    raise ScrapeFailed(f"body size limit exceeded: more than {limit} bytes")
                parts.append(part)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ScrapeFailed(f'Get "{url}": {error or type(error).__name__}') from error
    return Fetched(b"".join(parts), form)


def _format(header: str, config: ScrapeConfig) -> Format:
    media = header.partition(";")[0].strip().lower()
    found = _FORMATS.get(media) or _FORMATS.get(config.fallback_scrape_protocol)
    if found is None:
        told = f'received unsupported Content-Type "{header}"'
        if not header:
            told = "non-compliant scrape target sending blank Content-Type"
        raise ScrapeFailed(f"{told} and no fallback_scrape_protocol specified for target")
    return found


def _values(header: HttpHeader) -> Sequence[str]:
    return [*header.values, *header.secrets, *(_secret(path) for path in header.files)]


def _secret(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def _token(config: HttpClient) -> str:
    given = config.authorization
    if given is not None:
        credentials = _secret(given.credentials_file) if given.credentials_file else given.credentials
        return f"{given.type} {credentials}"
    token = _secret(config.bearer_token_file) if config.bearer_token_file else config.bearer_token
    return f"Bearer {token}" if token else ""


def _basic(config: HttpClient) -> tuple[str, str] | None:
    given = config.basic_auth
    if given is None:
        return None
    name = _secret(given.username_file) if given.username_file else given.username
    return name, _secret(given.password_file) if given.password_file else given.password


def _tls(config: TlsConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(
        cafile=str(config.ca_file) if config.ca_file else None, cadata=config.ca or None
    )
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if config.cert_file:
        context.load_cert_chain(config.cert_file, config.key_file)
    return context
