from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PHONE, OpenPage


def boxes(page: Page) -> dict[str, str]:
    """Where each node stands, by name and version."""
    expect(page.locator("[data-node]").first).to_be_visible()
    places = page.locator("[data-node]").evaluate_all(
        "all => all.map(node => [node.dataset.name, node.getAttribute('transform')])"
    )
    return dict(places)


def test_services_and_calls_are_drawn(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/graph")
    assert {"productpage", "details", "reviews", "ratings", "solo", "__proto__"} <= boxes(page).keys()
    edge = page.locator(".edge title", has_text="reviews → ratings")
    assert "/s" in (edge.first.text_content() or "")


def test_selecting_a_service_shows_its_numbers_and_leads_to_its_traces(
    server: str, open_page: OpenPage
) -> None:
    page = open_page(f"{server}/graph")
    page.get_by_role("button", name="ratings:").click()
    panel = page.get_by_role("complementary", name="Selection")
    expect(panel.get_by_role("heading", name="ratings")).to_be_visible()
    page.reload()
    expect(panel.get_by_role("heading", name="ratings")).to_be_visible()
    panel.get_by_role("link", name="Show traces").click()
    page.wait_for_url("**/search?service=ratings*")


def test_hover_lights_the_neighbourhood(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/graph")
    boxes(page)
    page.locator("[data-name=solo]").hover()
    assert page.locator("[data-node].lit").evaluate_all("all => all.map(n => n.dataset.name)") == ["solo"]


def test_keyboard_selects_and_closes(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/graph")
    page.get_by_role("button", name="details:").focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="Selection")
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_a_refresh_moves_nothing(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/graph")
    before = boxes(page)

    def one_more(route: Route) -> None:
        answer = route.fetch().json()
        answer["nodes"].append({**answer["nodes"][0], "id": "newcomer", "name": "newcomer"})
        route.fulfill(json=answer)

    page.route("**/api/vigla/v1/graph*", one_more)
    page.get_by_role("button", name="Refresh now").click()
    expect(page.locator("[data-name=newcomer]")).to_be_visible()
    after = boxes(page)
    assert {name: after[name] for name in before} == before


def test_the_table_has_the_same_and_is_in_the_address(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/graph?lookback=6h")
    page.get_by_role("button", name="Table").click()
    services = page.locator("table", has_text="Services")
    expect(services.get_by_role("row", name="ratings")).to_be_visible()
    services.get_by_role("button", name="Calls").click()
    expect(services.locator("tbody tr").first.locator("td").first).not_to_have_text("ratings")
    page.reload()
    expect(services).to_be_visible()
    expect(page.locator("[data-lookback]")).to_have_value("6h")


def test_find_lights_and_hide_takes_away(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/graph")
    boxes(page)
    page.get_by_label("Find").fill("name startswith rat")
    lit = page.locator("[data-node].lit").evaluate_all("all => all.map(n => n.dataset.name)")
    assert lit == ["ratings"]
    page.get_by_label("Hide").fill("solo or name = details")
    page.get_by_label("Hide").press("Enter")
    expect(page.locator("[data-name=details]")).to_have_count(0)
    page.reload()
    assert {"reviews", "ratings"} <= boxes(page).keys()
    assert "solo" not in boxes(page)
    page.get_by_label("Find").fill("rt >")
    expect(page.get_by_label("Find")).to_have_attribute("aria-invalid", "true")


def test_a_failing_refresh_keeps_the_graph(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/graph", expect_failures=True)
    before = boxes(page)
    page.route("**/api/vigla/v1/graph*", lambda route: route.fulfill(status=503, body="busy"))
    page.get_by_role("button", name="Refresh now").click()
    expect(page.get_by_role("alert")).to_contain_text("busy")
    assert boxes(page) == before


def test_an_empty_server_says_how_to_send_traces(empty_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{empty_server}/graph")
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()


def test_a_phone_needs_no_sideways_scrolling(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/graph?find=reviews", PHONE)
    assert boxes(page)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
