"""The overview: what is wrong, where it leads, and what a new server says."""

import httpx
from playwright.sync_api import Route, expect

from tests.browser.conftest import PHONE, OpenPage

WORST = {"status": "Failure", "reasons": ["inbound http 503: 50 % of calls"]}
HOSTILE = "<b>bold</b> \u202eevil" + "x" * 80


def test_services_are_told_with_their_health(server: str, open_page: OpenPage) -> None:
    page = open_page(server)
    page.wait_for_url("**/overview*")
    space = page.get_by_role("region", name="Without a proxy")
    row = space.get_by_role("row", name="reviews")
    expect(row).to_contain_text("/s")
    expect(page.locator(".tile").first).to_contain_text("failing")
    row.get_by_role("link").click()
    page.wait_for_url("**/services/-/reviews")
    expect(page.get_by_role("heading", name="reviews")).to_be_visible()


def test_the_worst_comes_first_and_says_why(server: str, open_page: OpenPage) -> None:
    page = open_page("about:blank")

    def worse(route: Route) -> None:
        answer = route.fetch().json()
        for node, name in zip(answer["nodes"], ("shop", HOSTILE), strict=False):
            node.update(namespace="prod", health=WORST, name=name, kind="app")
        route.fulfill(json=answer)

    def past(route: Route) -> None:
        history = ["NA"] * 3 + ["Healthy"] * 5 + ["Failure"] * 2
        own = {"namespace": "prod", "status": "Failure", "history": history}
        route.fulfill(json={"objects": [{**own, "name": "shop", "kind": "app"}], "namespaces": [own]})

    page.route("**/api/vigla/v1/graph*", worse)
    page.route("**/api/vigla/v1/health*", past)
    page.goto(f"{server}/overview")
    space = page.get_by_role("region", name="prod")
    expect(space.locator("tbody tr").first).to_contain_text("inbound http 503")
    expect(space.get_by_text("bold")).to_be_visible()
    expect(space.get_by_role("img", name="Health of shop: 20 % of the time")).to_be_visible()
    expect(page.locator(".tile", has_text="failing").locator("strong")).not_to_have_text("0")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_an_empty_server_says_how_to_send_traces(empty_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{empty_server}/overview")
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()


def test_a_failing_api_is_told(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/overview", expect_failures=True)
    expect(page.get_by_role("region", name="Without a proxy")).to_be_visible()
    page.route("**/api/vigla/v1/graph*", lambda route: route.fulfill(status=503, body="busy"))
    page.get_by_role("button", name="Refresh now").click()
    expect(page.get_by_role("alert")).to_contain_text("busy")
    expect(page.get_by_role("region", name="Without a proxy")).to_be_visible()


def test_a_phone_needs_no_sideways_scrolling(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/overview", PHONE)
    expect(page.get_by_role("region", name="Without a proxy")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_the_start_page_is_the_overview(server: str) -> None:
    assert httpx.get(server, follow_redirects=True).url.path == "/overview"
