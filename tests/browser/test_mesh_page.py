"""The mesh page, with and without a mesh."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import expect

from benchmarks.serving import Server
from proxy.xds.resources import CDS
from tests.browser.accessibility import serious_findings
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.proxy.pilot.mesh import service
from tests.proxy.xds.plane import Client

QUIET = {"VIGLA_SCRAPE__OWN": "false", "VIGLA_RULES__MESH": "false", "VIGLA_MESH__ENABLED": "true"}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("mesh") / "lake", QUIET) as server:
        httpx.post(f"{server.query_url}/api/vigla/v1/mesh/apply", content=service()).raise_for_status()
        yield server


def test_a_mesh_without_proxies_says_how_to_have_some(mesh: Server, open_page: OpenPage) -> None:
    page = open_page(f"{mesh.query_url}/mesh")
    expect(page.get_by_role("link", name="revision 1")).to_be_visible()
    expect(page.get_by_role("heading", name="No proxy is connected")).to_be_visible()
    expect(page.get_by_text("O=cluster.local")).to_be_visible()
    expect(page.get_by_role("region", name="Storage").get_by_role("row")).to_have_count(11)


@contextmanager
def refusing(port: int, error: str) -> Iterator[None]:
    """A proxy, while inside, that refuses its clusters with this text."""
    loop = asyncio.new_event_loop()
    done, refused = asyncio.Event(), threading.Event()

    async def run() -> None:
        async with Client(port, delta=True) as proxy:
            await proxy.send(CDS)
            await proxy.answer(await proxy.read(), error=error)
            refused.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert refused.wait(20)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


def test_what_a_proxy_refuses_is_shown_with_its_reason(mesh: Server, open_page: OpenPage) -> None:
    with refusing(mesh.ports.xds, "<b>cluster</b> is no good"):
        page = open_page(f"{mesh.query_url}/mesh")
        expect(page.get_by_text("1 of 1 not in sync")).to_be_visible()
        expect(page.get_by_role("row", name="web-1")).to_contain_text("refused")
        page.get_by_role("button", name="web-1").click()
        expect(page.locator(".mesh-error")).to_have_text("<b>cluster</b> is no good")
    expect(page.get_by_role("heading", name="No proxy is connected")).to_be_visible(timeout=15_000)


def test_what_came_in_is_counted(mesh: Server, open_page: OpenPage) -> None:
    body = b"not protobuf"
    headers = {"Content-Type": "application/x-protobuf"}
    httpx.post(f"http://127.0.0.1:{mesh.ports.otlp_http}/v1/traces", content=body, headers=headers)
    page = open_page(f"{mesh.query_url}/mesh")
    row = page.get_by_role("region", name="Intake").get_by_role("row", name="traces http")
    expect(row).to_contain_text("1 invalid")


def test_without_a_mesh_the_server_is_shown(empty_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{empty_server}/mesh", PHONE)
    expect(page.get_by_text("This server has no mesh.")).to_be_visible()
    expect(page.get_by_role("heading", name="This process")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_accessibility(mesh: Server, open_page: OpenPage, size: tuple[int, int], theme: str) -> None:
    page = open_page(f"{mesh.query_url}/mesh", size, theme)
    expect(page.get_by_role("heading", name="This process")).to_be_visible()
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
