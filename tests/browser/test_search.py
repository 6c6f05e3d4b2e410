from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import FAILED, LARGE, NORMAL, PHONE, OpenPage


def results(page: Page) -> list[str]:
    """Trace ids in the order shown."""
    expect(page.locator("[data-results] .trace-item").first).to_be_visible()
    links = page.locator("[data-results] .trace-item").evaluate_all("all => all.map(a => a.href)")
    return [urlsplit(link).path.rsplit("/", 1)[1] for link in links]


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_all_traces_of_the_last_hour_are_found_at_once(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search")
    expect(page.locator("[data-count]")).to_have_text("15 traces")
    assert results(page)[:3] == [NORMAL, FAILED, LARGE]
    expect(page.locator(".scatter .dot")).to_have_count(15)
    failed = page.locator(f"[data-id='{FAILED}'] .trace-item")
    expect(failed).to_contain_text("productpage")
    expect(failed).to_contain_text("300 ms")
    expect(failed.locator(".errors")).to_have_text("2 errors")


def test_filters_are_in_the_address_and_survive_reload(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search")
    page.get_by_label("Service", exact=True).select_option("reviews")
    page.get_by_label("Operation", exact=True).select_option("GET /reviews/{id}")
    page.get_by_label("Tags", exact=True).fill("http.response.status_code=500")
    page.get_by_label("Shortest duration").fill("100ms")
    page.get_by_label("Time", exact=True).select_option("6h")
    page.get_by_role("button", name="Find traces").click()
    expect(page.locator("[data-count]")).to_have_text("1 trace")
    assert results(page) == [FAILED]
    assert query(page) == {
        "service": ["reviews"],
        "operation": ["GET /reviews/{id}"],
        "tags": ['{"http.response.status_code":"500"}'],
        "minDuration": ["100ms"],
        "lookback": ["6h"],
    }
    page.reload()
    assert results(page) == [FAILED]
    expect(page.get_by_label("Service", exact=True)).to_have_value("reviews")
    expect(page.get_by_label("Operation", exact=True)).to_have_value("GET /reviews/{id}")
    expect(page.get_by_label("Tags", exact=True)).to_have_value("http.response.status_code=500")
    expect(page.get_by_label("Shortest duration")).to_have_value("100ms")
    expect(page.get_by_label("Time", exact=True)).to_have_value("6h")


def test_back_and_forward_restore_filters_and_results(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search")
    expect(page.locator("[data-count]")).to_have_text("15 traces")
    page.get_by_label("Service", exact=True).select_option("solo")
    expect(page.locator("[data-count]")).to_have_text("1 trace")
    page.go_back()
    expect(page.locator("[data-count]")).to_have_text("15 traces")
    expect(page.get_by_label("Service", exact=True)).to_have_value("")
    page.go_forward()
    expect(page.locator("[data-count]")).to_have_text("1 trace")


def test_results_are_sorted_as_asked(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search?sort=longest")
    assert results(page)[0] == LARGE
    page.get_by_label("Sort by").select_option("newest")
    assert results(page)[0] == NORMAL
    page.get_by_label("Sort by").select_option("spans")
    assert results(page)[0] == LARGE


def test_wrong_input_is_explained_and_not_sent(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search")
    page.get_by_label("Shortest duration").fill("5")
    page.get_by_label("Tags", exact=True).fill("no value")
    page.get_by_role("button", name="Find traces").click()
    expect(page.get_by_text("Write a number and a unit")).to_be_visible()
    expect(page.get_by_text("Cannot read")).to_be_visible()
    assert query(page) == {}


def test_dragging_over_the_plot_narrows_the_time(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search")
    surface = page.locator(".scatter .surface").bounding_box()
    assert surface is not None
    x, y = surface["x"], surface["y"] + surface["height"] / 2
    page.mouse.move(x + surface["width"] * 0.85, y)
    page.mouse.down()
    page.mouse.move(x + surface["width"] - 1, y + 5, steps=4)
    page.mouse.up()
    expect(page.locator("[data-count]")).not_to_have_text("15 traces")
    assert query(page)["lookback"] == ["custom"]
    assert NORMAL in results(page)


def test_a_dot_opens_its_trace(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search?service=solo")
    page.locator(".scatter .dot").click()
    page.wait_for_url("**/trace/*")


def test_tags_are_completed(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search?service=reviews")
    page.get_by_label("Tags", exact=True).press_sequentially("vers")
    page.get_by_role("option", name="version").click()
    expect(page.get_by_label("Tags", exact=True)).to_have_value("version=")
    page.get_by_role("option", name="v2").click()
    page.get_by_label("Tags", exact=True).press("Enter")
    expect(page.locator("[data-count]")).to_have_text("12 traces")


def test_nothing_found_offers_what_to_do(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search?service=reviews&minDuration=1h", expect_failures=True)
    expect(page.get_by_role("heading", name="No traces match")).to_be_visible()
    page.get_by_role("button", name="Remove filters").click()
    expect(page.locator("[data-count]")).to_have_text("15 traces")


def test_an_empty_server_says_how_to_send_traces(empty_server: str, open_page: OpenPage) -> None:
    page = open_page(empty_server, expect_failures=True)
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()
    expect(page.locator("pre").first).to_contain_text("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318")


def test_a_failing_api_keeps_the_last_results_and_can_be_retried(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search", expect_failures=True)
    expect(page.locator("[data-count]")).to_have_text("15 traces")

    def fail(route: Route) -> None:
        route.fulfill(
            status=500, content_type="text/plain", body='{"errors":[{"code":500,"msg":"disk on fire"}]}'
        )

    page.route("**/api/v3/trace-summaries*", fail)
    page.get_by_label("Service", exact=True).select_option("solo")
    expect(page.get_by_role("alert")).to_contain_text("disk on fire")
    expect(page.locator("[data-count]")).to_have_text("15 traces")
    page.unroute("**/api/v3/trace-summaries*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-count]")).to_have_text("1 trace")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_lookup_opens_a_trace_and_a_service(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/graph")
    page.keyboard.press("/")
    page.keyboard.type(NORMAL.upper())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/trace/{NORMAL}")
    page.get_by_label("Trace ID, service, object or PromQL").fill("solo")
    expect(page.locator("#lookup-services option[value=solo]")).to_have_count(1)
    page.get_by_label("Trace ID, service, object or PromQL").press("Enter")
    page.wait_for_url("**/search?service=solo")


def test_a_phone_needs_no_sideways_scrolling(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search", PHONE)
    assert results(page)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert page.evaluate("document.querySelector('main').scrollWidth") == PHONE[0]
