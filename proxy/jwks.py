"""Keys of token issuers (JWKS), fetched in the background and kept while their issuer cannot be reached."""

import asyncio
import json
import logging
from collections.abc import Callable, Collection
from types import MappingProxyType

import httpx

TIMEOUT = 5.0
REFRESH = 20 * 60.0
MAX_BYTES = 1 << 20
MAX_URIS = 1_000
CONCURRENT = 8

logger = logging.getLogger(__name__)


class JwksCache:
    """What each address answered last; a failed fetch keeps the answer before.

    Args:
        client: to fetch with; it is not closed here.
        changed: called after keys became others, so that proxies get them.
        refresh: seconds between two fetches of an address.
    """

    def __init__(
        self, client: httpx.AsyncClient, changed: Callable[[], None], refresh: float = REFRESH
    ) -> None:
        self._client, self._changed, self._refresh = client, changed, refresh
        self._keys: dict[str, str] = {}
        self._wanted: frozenset[str] = frozenset()
        self._new = asyncio.Event()

    @property
    def keys(self) -> MappingProxyType[str, str]:
        """JSON text by address; addresses that never answered are missing."""
        return MappingProxyType(self._keys)

    def want(self, uris: Collection[str]) -> None:
        """Fetch these from now on, and forget all others.

        Raises:
            ValueError: there are too many.
        """
        if len(uris) > MAX_URIS:
            raise ValueError(f"{len(uris)} addresses of keys; at most {MAX_URIS} are fetched")
        wanted = frozenset(uris)
        if wanted - self._wanted:
            self._new.set()
        self._wanted = wanted
        self._keys = {uri: keys for uri, keys in self._keys.items() if uri in wanted}

    async def run(self) -> None:
        """Fetch until cancelled: new addresses at once, all of them every ``refresh`` seconds."""
        while True:
            self._new.clear()
            await self.fetch()
            try:
                await asyncio.wait_for(self._new.wait(), self._refresh)
            except TimeoutError:
                continue

    async def fetch(self) -> None:
        """Fetch every address once, a few at a time."""
        slots, before = asyncio.Semaphore(CONCURRENT), self._keys
        uris = sorted(self._wanted)
        found = await asyncio.gather(*(self._one(uri, slots) for uri in uris))
        new = {uri: keys for uri, keys in zip(uris, found, strict=True) if keys}
        self._keys = {uri: k for uri, k in {**before, **new}.items() if uri in self._wanted}
        if self._keys != before:
            self._changed()

    async def _one(self, uri: str, slots: asyncio.Semaphore) -> str:
        async with slots:
            try:
                return await asyncio.wait_for(self._get(uri), TIMEOUT)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
                logger.warning("no keys from %s: %s", uri, str(error) or type(error).__name__)
                return ""

    async def _get(self, uri: str) -> str:
        content = bytearray()
        async with self._client.stream("GET", uri) as response:
            response.raise_for_status()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise ValueError(f"more than {MAX_BYTES} bytes")
        text = content.decode("utf-8")
        keys = json.loads(text)
        if not isinstance(keys, dict) or not isinstance(keys.get("keys"), list):
            raise ValueError("no key set: it needs a list named keys")  # noqa: TRY004 - content, not a type
        return text
