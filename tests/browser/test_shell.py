import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import DESKTOP, HOSTILE, NORMAL, PHONE, OpenPage, serving
from tests.browser.spans import bookinfo

PAGES = (
    "/overview",
    "/logs",
    "/search",
    f"/trace/{NORMAL}",
    f"/trace/{HOSTILE}",
    "/graph",
    "/graph?view=table",
    "/graph?node=reviews",
    "/metrics",
    "/metrics?q=nothing",
    "/alerts",
    "/nowhere",
)


def test_the_root_is_the_search(server: str) -> None:
    answer = httpx.get(server)
    assert (answer.status_code, answer.headers["location"]) == (302, "/overview")


@pytest.mark.parametrize(
    "path",
    [
        "/overview",
        "/search",
        "/trace/abc",
        "/graph",
        "/logs",
        "/metrics",
        "/alerts",
        "/configuration",
        "/nowhere",
    ],
)
def test_pages_forbid_what_they_do_not_need(server: str, path: str) -> None:
    headers = httpx.get(server + path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_unknown_pages_and_unknown_api_paths_differ(server: str) -> None:
    page = httpx.get(f"{server}/<b>nowhere")
    assert page.status_code == 404
    assert "&lt;b&gt;" in page.text
    assert httpx.get(f"{server}/api/nowhere").text == "404 page not found\n"


def test_static_files_are_kept_for_ever_under_their_digest(server: str) -> None:
    page = httpx.get(f"{server}/search").text
    address = next(part for part in page.split('"') if part.endswith("tokens.css"))
    fresh = httpx.get(server + address)
    assert fresh.headers["cache-control"] == "public, max-age=31536000, immutable"
    digest = address.split("/")[2]
    stale = httpx.get(server + address.replace(digest, "0" * 16))
    assert (stale.status_code, stale.headers["cache-control"]) == (200, "no-cache")
    assert httpx.get(server + address.replace("tokens.css", "..%2f..%2fserver.py")).status_code == 404


def test_the_theme_is_chosen_once_and_kept(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search", theme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(20, 23, 28)"
    page.get_by_role("button", name="Switch theme").click()
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    page.goto(f"{server}/graph")
    assert page.evaluate(background) == "rgb(255, 255, 255)"


def test_keys_go_to_pages_and_are_listed(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Go to the graph")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("g")
    page.wait_for_url("**/graph")
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/search")


def test_below_a_path_of_a_proxy(open_page: OpenPage) -> None:
    payload = bookinfo(NORMAL, 1_700_000_000_000_000_000)
    with serving([payload], "/tracing") as address:
        page = open_page(f"{address}/search?start=1699999999000000&end=1700000001000000")
        page.locator(".trace-item").click()
        page.wait_for_url(f"**/tracing/trace/{NORMAL}")
        expect(page.locator(".tl-row")).to_have_count(7)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_accessibility_has_no_serious_findings(
    server: str, open_page: OpenPage, size: tuple[int, int], theme: str
) -> None:
    for path in PAGES:
        page = open_page(server + path, size, theme, expect_failures=True)
        page.wait_for_load_state("networkidle")
        if path.startswith("/trace"):
            page.locator(".tl-row").first.click()
            expect(page.locator(".tl-details")).to_be_visible()
        assert serious_findings(page) == []
