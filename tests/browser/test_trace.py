from playwright.sync_api import Page, expect

from tests.browser.conftest import FAILED, HOSTILE, LARGE, NORMAL, PHONE, SINGLE, OpenPage
from tests.browser.spans import HOSTILE as MARKUP
from tests.browser.spans import LONG


def names(page: Page) -> list[str]:
    """Operations of the rows in the document, from top to bottom."""
    expect(page.locator(".tl-row").first).to_be_visible()
    return page.locator(".tl-row").evaluate_all(
        "rows => rows.sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)"
        ".map(row => row.querySelector('.operation').textContent)"
    )


TREE = [
    "GET /productpage",
    "GET details",
    "GET /details/{id}",
    "GET reviews",
    "GET /reviews/{id}",
    "GET ratings",
    "GET /ratings/{id}",
]


def test_header_and_tree(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{FAILED}")
    expect(page.locator("[data-root]")).to_contain_text("GET /productpage")
    expect(page.locator("[data-facts]").first).to_contain_text("300 ms")
    expect(page.locator("[data-facts] .failed").first).to_have_text("Errors2")
    assert names(page) == TREE
    assert page.title() == "productpage: GET /productpage - vigla"
    link = page.get_by_role("link", name="Unadjusted JSON").get_attribute("href")
    assert page.request.get(f"{server}{link}").json()["data"][0]["traceID"] == FAILED


def test_collapse_and_expand(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{NORMAL}")
    row = page.locator(".tl-row", has_text="GET reviews")
    row.get_by_role("button", name="Collapse").click()
    assert names(page) == TREE[:4]
    page.reload()
    assert names(page) == TREE[:4]
    page.get_by_role("button", name="Expand all").click()
    assert names(page) == TREE
    page.get_by_role("button", name="Collapse all").click()
    assert names(page) == TREE[:1]
    page.go_back()
    assert names(page) == TREE


def test_details_show_attributes_events_links_and_json(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{FAILED}")
    page.locator(".tl-row", has_text="GET /reviews/{id}").click()
    details = page.locator(".tl-details")
    expect(details.get_by_role("row", name="version")).to_contain_text("v2")
    expect(details.get_by_text("2 events")).to_be_visible()
    expect(details.get_by_text("cache.miss")).to_be_visible()
    expect(details.get_by_role("link", name="trace " + "f" * 32)).to_be_visible()
    details.get_by_label("Filter attributes").fill("host")
    expect(details.locator("tr:visible", has_text="host.name")).to_have_count(1)
    expect(details.locator("tr:visible", has_text="version")).to_have_count(0)
    details.get_by_text("JSON", exact=True).click()
    expect(details.locator("pre")).to_contain_text('"operationName": "GET /reviews/{id}"')
    page.reload()
    expect(page.locator(".tl-details h3")).to_have_text("GET /reviews/{id}")


def test_an_attribute_leads_to_the_traces_that_share_it(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{FAILED}")
    page.locator(".tl-row", has_text="GET /reviews/{id}").click()
    page.locator(".tl-details").get_by_role("link", name="500").click()
    page.wait_for_url("**/search?*")
    expect(page.locator("[data-count]")).to_have_text("1 trace")
    expect(page.get_by_label("Tags", exact=True)).to_have_value("http.response.status_code=500")


def test_critical_path_can_be_hidden(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{NORMAL}")
    ratings = page.locator(".tl-row", has_text="GET /ratings/{id}")
    expect(ratings.locator(".critical")).to_have_count(1)
    page.get_by_label("Critical path").uncheck()
    expect(page.locator(".tl-row .critical")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Critical path")).not_to_be_checked()


def test_minimap_zooms_and_the_address_keeps_it(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{NORMAL}")
    expect(page.locator(".tl-ruler .tick").last).to_have_text("100 ms")
    area = page.locator(".minimap-area").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * 0.25, area["y"] + 20)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.5, area["y"] + 25, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="Show whole trace")).to_be_visible()
    expect(page.locator(".tl-ruler .tick").last).to_have_text("50 ms")
    page.reload()
    expect(page.locator(".tl-ruler .tick").last).to_have_text("50 ms")
    page.get_by_role("slider", name="End of the timeline").press("ArrowRight")
    expect(page.locator(".tl-ruler .tick").first).to_be_visible()
    page.get_by_role("button", name="Show whole trace").click()
    expect(page.locator(".tl-ruler .tick").last).to_have_text("100 ms")


def test_keys_move_fold_and_open(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{NORMAL}")
    assert names(page) == TREE
    page.get_by_role("treegrid").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("[aria-selected=true] .operation")).to_have_text("GET reviews")
    page.keyboard.press("ArrowLeft")
    assert names(page) == TREE[:4]
    page.keyboard.press("ArrowRight")
    assert names(page) == TREE
    page.keyboard.press("Enter")
    expect(page.locator(".tl-details h3")).to_have_text("GET reviews")


def test_find_walks_through_matches(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{NORMAL}")
    find = page.get_by_label("Find in trace")
    find.fill("ratings")
    expect(page.locator("[data-find-count]")).to_have_text("2 found")
    find.press("Enter")
    find.press("Enter")
    expect(page.locator("[data-find-count]")).to_have_text("2 of 2")
    expect(page.locator("[aria-selected=true] .operation")).to_have_text("GET /ratings/{id}")
    page.reload()
    expect(page.locator(".tl-row.match")).to_have_count(2)


def test_services_filter_rows(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{NORMAL}")
    page.locator("[data-services] summary").click()
    page.locator("[data-services-list] label", has_text="ratings").click()
    assert names(page) == ["GET /ratings/{id}"]
    page.reload()
    assert names(page) == ["GET /ratings/{id}"]


def test_ten_thousand_spans_keep_few_rows_in_the_document(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{LARGE}")
    expect(page.locator("[data-facts]").first).to_contain_text("10,000")
    for top in (0, 50_000, 120_000, 10_000_000):
        page.locator(".tl-scroll").evaluate("(element, top) => { element.scrollTop = top; }", top)
        page.evaluate("new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
        assert 20 < page.locator(".tl-row").count() < 80
    assert page.locator(".tl-body").evaluate("element => element.offsetHeight") == 220_000
    assert page.locator(".tl-row[aria-rowindex='10000']").is_visible()


def test_hostile_names_stay_text(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{HOSTILE}")
    expect(page.locator("[data-root]")).to_contain_text(MARKUP)
    expect(page.locator(".tl-row .service", has_text=LONG)).to_have_count(1)
    expect(page.locator(".tl-row")).to_have_count(7)
    page.locator(".tl-row").first.click()
    expect(page.locator(".tl-details th", has_text="<img")).to_have_count(1)
    assert page.locator("main img, main script").count() == 0
    expect(page.locator(".notice")).to_have_count(2)
    page.goto(f"{server}/search")
    expect(page.locator(".trace-name", has_text=MARKUP)).to_have_count(1)
    assert page.locator("main img, main script").count() == 0


def test_a_span_without_duration_is_shown(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{SINGLE}")
    assert names(page) == ["instant"]
    expect(page.locator(".tl-row .bar")).to_have_count(1)


def test_an_unknown_trace_says_what_may_be(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{'9' * 32}", expect_failures=True)
    expect(page.get_by_role("heading", name="Trace not found")).to_be_visible()


def test_a_failing_api_can_be_retried(server: str, open_page: OpenPage) -> None:
    def fail_first(page: Page) -> None:
        page.route("**/api/traces/*", lambda route: route.abort(), times=1)

    page = open_page(f"{server}/trace/{NORMAL}", before=fail_first, expect_failures=True)
    expect(page.get_by_role("alert")).to_contain_text("No answer from the server")
    page.get_by_role("button", name="Try again").click()
    assert names(page) == TREE


def test_what_the_proxies_decided(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{FAILED}")
    panel = page.locator("details.decisions")
    expect(panel.locator("summary")).to_contain_text("3 log entries, 2 with response flags")
    panel.locator("summary").click()
    first, second, third = panel.locator("tbody tr").all()
    expect(first).to_contain_text("productpage")
    expect(first).to_contain_text("FI the request was aborted by an injected fault")
    expect(first).to_contain_text("virtual-service shop/reviews")
    expect(first).to_contain_text("line reviews.yaml:17")
    expect(second).to_contain_text("200")
    expect(third).to_contain_text("503")
    panel.get_by_role("link", name="Show access logs").click()
    expect(page.locator(".log")).to_have_count(3)


def test_a_trace_without_proxies_says_nothing_of_them(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{NORMAL}")
    assert names(page) == TREE
    expect(page.locator("details.decisions")).to_have_count(0)


def test_what_the_proxies_decided_fits_a_phone(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{FAILED}", PHONE, "dark")
    page.locator("details.decisions summary").click()
    expect(page.locator("details.decisions tbody tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_a_phone_needs_no_sideways_scrolling(server: str, open_page: OpenPage) -> None:
    for trace in (NORMAL, HOSTILE):
        page = open_page(f"{server}/trace/{trace}", PHONE, "dark")
        assert names(page)
        page.locator(".tl-row").first.click()
        expect(page.locator(".tl-details")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        assert page.evaluate("document.querySelector('main').scrollWidth") == PHONE[0]
