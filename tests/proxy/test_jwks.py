"""Keys of issuers are fetched, kept and bounded."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from proxy.jwks import MAX_BYTES, MAX_URIS, JwksCache

A, B = "https://a/keys", "https://b/keys"
KEYS = '{"keys":[]}'


def cache(answer: Callable[[httpx.Request], httpx.Response]) -> tuple[JwksCache, list[int]]:
    changes: list[int] = []
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return JwksCache(client, lambda: changes.append(1)), changes


def test_what_cannot_be_had_keeps_its_last_keys() -> None:
    broken: set[str] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if str(request.url) in broken else httpx.Response(200, text=KEYS)

    made, changes = cache(answer)

    async def use() -> None:
        made.want([A, B])
        await made.fetch()
        broken.add(A)
        await made.fetch()

    asyncio.run(use())
    assert dict(made.keys) == {A: KEYS, B: KEYS}
    assert len(changes) == 1
    made.want([B])
    assert dict(made.keys) == {B: KEYS}


@pytest.mark.parametrize("text", ["no", "[]", "{}", "x" * (MAX_BYTES + 1)])
def test_answers_that_are_no_keys(text: str) -> None:
    made, changes = cache(lambda _: httpx.Response(200, text=text))
    made.want([A])
    asyncio.run(made.fetch())
    assert not made.keys
    assert not changes


def test_too_many() -> None:
    made, _ = cache(lambda _: httpx.Response(404))
    with pytest.raises(ValueError, match="at most"):
        made.want([f"https://{i}" for i in range(MAX_URIS + 1)])


def test_new_addresses_are_fetched_at_once() -> None:
    async def use() -> None:
        changed = asyncio.Event()
        client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, text=KEYS)))
        made = JwksCache(client, changed.set)
        task = asyncio.create_task(made.run())
        for uris in ([A], [A, B]):
            await asyncio.sleep(0)
            made.want(uris)
            await asyncio.wait_for(changed.wait(), 5)
            changed.clear()
            assert set(made.keys) == set(uris)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(use())
