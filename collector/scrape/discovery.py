"""Service discovery: static, files, HTTP. Each yields all its target groups, again whenever they change."""

import asyncio
import glob
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson
import yaml
from pydantic import TypeAdapter, ValidationError

from collector.scrape.fetch import client_of
from vigla.errors import BadInput
from vigla.prometheus.config import FileDiscovery, HttpDiscovery, TargetGroup

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""Between looks whether a file changed: mounted configuration changes by renamed links."""
HTTP_TIMEOUT_S = 30.0
MAX_BYTES = 32 * 1024 * 1024
_GROUPS = TypeAdapter(tuple[TargetGroup, ...])

Groups = tuple[TargetGroup, ...]


class DiscoveryFailed(BadInput):
    """What service discovery gave cannot be used; the targets from before stay."""


async def from_files(config: FileDiscovery, folder: Path) -> AsyncIterator[Groups]:
    """Groups of all files that match; a file that is wrong leaves what it had."""
    files = _Files([str(folder / pattern) for pattern in config.files])
    async for groups in polled(files.groups):
        yield groups


async def polled(ask: Callable[[], Groups]) -> AsyncIterator[Groups]:
    """What a function gives, asked in a thread every ``LOOK_S``, whenever it is something else."""
    told: object = None
    while True:
        groups = await asyncio.to_thread(ask)
        if groups != told:
            told = groups
            yield groups
        await asyncio.sleep(LOOK_S)


class _Files:
    """Files of target groups; each is read when its time or size changes."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._known: dict[Path, tuple[tuple[int, int], Groups]] = {}

    def groups(self) -> Groups:
        """All groups, with the path of their file."""
        paths = sorted(Path(path) for each in self._patterns for path in glob.glob(each))  # noqa: PTH207
        self._known = {path: known for path, known in self._known.items() if path in paths}
        for path in paths:
            self._refresh(path)
        return tuple(
            group.model_copy(update={"labels": {"__meta_filepath": str(path), **group.labels}})
            for path, (_, groups) in sorted(self._known.items())
            for group in groups
        )

    def _refresh(self, path: Path) -> None:
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            before, groups = self._known.get(path, ((0, 0), ()))
            if stamp == before:
                return
            self._known[path] = (stamp, groups)  # what is wrong is told once
            content = yaml.load(path.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506  it makes text alone
            self._known[path] = (stamp, parsed(content))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, DiscoveryFailed) as error:
            log.warning("a file of targets is not used", extra={"path": str(path), "error": str(error)})


async def from_http(config: HttpDiscovery) -> AsyncIterator[Groups]:
    """Groups of a URL, asked at its interval; what it gave last stays while it fails."""
    told: object = None
    async with client_of(config) as client:
        while True:
            try:
                groups = await _asked(client, config.url)
            except (httpx.HTTPError, DiscoveryFailed) as error:
                log.warning("service discovery fails", extra={"url": config.url, "error": str(error)})
            else:
                if groups != told:
                    told = groups
                    yield groups
            await asyncio.sleep(config.refresh_interval / 1000)


async def _asked(client: httpx.AsyncClient, url: str) -> Groups:
    async with client.stream("GET", url, timeout=HTTP_TIMEOUT_S) as answer:
        if answer.status_code != httpx.codes.OK:
            raise DiscoveryFailed(f"server returned HTTP status {answer.status_code}")
        body = b""
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > MAX_BYTES:
                raise DiscoveryFailed(f"more than {MAX_BYTES} bytes")
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DiscoveryFailed(f"no JSON: {error}") from error
    return tuple(
        group.model_copy(update={"labels": {"__meta_url": url, **group.labels}}) for group in parsed(content)
    )


def parsed(content: Any) -> Groups:
    """Target groups from a document.

    Raises:
        DiscoveryFailed: it has another shape.
    """
    try:
        return _GROUPS.validate_python(content or ())
    except ValidationError as error:
        first = error.errors()[0]
        raise DiscoveryFailed(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
