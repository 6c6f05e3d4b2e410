"""What somebody does who looks after a mesh, on the demo: real Envoys, real calls, one browser.

What needs no metrics comes first: they take half a minute to be there.
"""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from proxy.wizards.wizard import KINDS
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.stories.demo import Demo
from tests.e2e.mesh.mesh import eventually

LIVE = "lookback=1m&refresh=10"
SLOW_RATINGS = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings, namespace: default}
spec:
  hosts: [ratings]
  http:
  - name: slow-ratings
    fault:
      delay: {percentage: {value: 100}, fixedDelay: 2s}
    route:
    - destination: {host: ratings}
"""
SOON_S = 90.0
A_MOMENT_MS = 3_000
MISTAKES = (
    ("subset: v3", "subset: v9", "reviews+v9", 0),
    ("weight: 20", "weight: twenty", "valid integer", 0),
    ("  http:", "  http", "not YAML", 1),
)
"""What is written, what is written instead, what is said of it, and how many lines below the mistake."""
FORMS = ((DESKTOP, "dark"), (PHONE, "light"))


def edge(page: Page, source: str, target: str) -> Locator:
    """The label of an edge of the graph; its title tells the calls."""
    title = page.locator("title").filter(has_text=f"{source} → {target}")
    return page.locator(".edge-chip").filter(has=title)


def rate(label: Locator) -> float:
    """Calls a second as the label of an edge tells them; 0 when the edge is gone."""
    texts = label.locator("title").all_text_contents()
    found = re.search(r": ([\d.]+)/s", texts[0]) if texts else None
    return float(found[1]) if found else 0.0


def test_a_broken_object_is_told_by_its_line(demo: Demo, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/configuration", expect_failures=True)
    page.get_by_label("Find object").fill("VirtualService default/reviews")
    page.locator("[data-object]").click()
    area = page.get_by_label("YAML")
    expect(area).to_have_value(re.compile("subset: v3"))
    whole = area.input_value()
    findings = page.get_by_label("Findings").get_by_role("listitem")
    for good, bad, told, below in MISTAKES:
        area.fill(whole.replace(good, bad))
        at = whole[: whole.index(good)].count("\n") + 1 + below
        finding = findings.filter(has=page.get_by_role("button", name=f"Line {at}", exact=True))
        expect(finding).to_contain_text(told)
        finding.get_by_role("button").click()
        expect(area).to_be_focused()
    expect(page.get_by_role("button", name="Apply")).to_be_disabled()
    area.fill(whole)
    expect(findings).to_have_text("Nothing is wrong with it")
    assert demo.yaml("VirtualService", "reviews") == whole


def test_two_traces_are_compared(demo: Demo, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/search?service=productpage&lookback=15m&limit=50")
    asks = page.locator(".trace-list li").filter(
        has=page.locator(".chip", has_text=re.compile(r"^ratings\d"))
    )
    asks_not = page.locator(".trace-list li").filter(has_not=page.locator(".chip", has_text="ratings"))
    asks_not.last.get_by_role("checkbox").check()
    asks.last.get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare marked").click()
    only = page.locator("tr.diff-added, tr.diff-removed")
    expect(only.filter(has_text="SELECT ratings").or_(only.filter(has_text="ratings")).first).to_be_visible()
    sides = page.locator("[data-sum] a").all_inner_texts()
    page.get_by_role("button", name="Swap").click()
    expect(page.locator("[data-sum] a").first).to_have_text(sides[1])
    page.get_by_label("Only paths that differ").check()
    expect(page.locator("tr.diff-same")).to_have_count(0)
    page.locator("[data-sum] a").first.click()
    expect(page.locator(".tl-row").first).to_be_visible()


@pytest.mark.parametrize(("size", "theme"), FORMS, ids=["dark", "phone"])
def test_every_page_fits(demo: Demo, open_page: OpenPage, size: tuple[int, int], theme: str) -> None:
    page = open_page(f"{demo.url}/overview", size, theme)
    listed = page.locator(".rail a").evaluate_all("links => links.map(link => link.href)")
    assert len(listed) > 5
    for address in [*listed, *(demo.url + path for path in deeper(demo))]:
        page.goto(address)
        expect(page.locator("main :is(h1, h2)").first).to_be_attached()
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        page.wait_for_load_state(
            "networkidle"
        )  # what a page asks late is told too, and queries do not pile up
        expect(page.get_by_role("alert")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") == size[0], address
        assert is_dark(page) == (theme == "dark"), address


def deeper(demo: Demo) -> list[str]:
    """Pages that the list of pages does not name."""
    first, second, *_ = demo.traces()
    return [
        f"/trace/{first}",
        f"/trace/{first}?view=flame",
        f"/trace/{first}?view=statistics",
        f"/traces/compare?a={first}&b={second}",
        "/search?service=productpage",
        "/graph?view=table",
        "/configuration?view=history",
        *(f"/configuration/wizards/{kind}?namespace=default&service=reviews" for kind in KINDS),
    ]


def is_dark(page: Page) -> bool:
    """Whether the text is lighter than what is behind it."""
    colours = page.evaluate(
        "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))"
    )
    text, surface = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    return text > surface


def test_the_graph_is_searched_and_cleared(demo: Demo, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/graph?lookback=5m")
    lit = page.locator("[data-node].lit")
    page.get_by_label("Find", exact=True).fill("name = reviews and version = v2")
    expect(lit).to_have_count(1)
    expect(lit).to_have_attribute("data-name", "reviews v2")
    page.get_by_label("Hide", exact=True).fill("name = catalogue or name startswith ratingsdb")
    page.get_by_label("Hide", exact=True).press("Enter")
    for gone in ("catalogue", "ratingsdb v1"):
        expect(page.locator(f"[data-node][data-name='{gone}']")).to_have_count(0)
    expect(page.locator("[data-count]")).to_contain_text("hidden")
    page.reload()
    expect(lit).to_have_attribute("data-name", "reviews v2")
    expect(page.locator("[data-node][data-name='ratingsdb v1']")).to_have_count(0)
    page.get_by_label("Hide", exact=True).fill("")
    page.get_by_label("Hide", exact=True).press("Enter")
    expect(page.locator("[data-node][data-name='ratingsdb v1']")).to_be_visible()


def test_why_reviews_are_slow(demo: Demo, open_page: OpenPage) -> None:
    """From the graph to the rule that is guilty, and out of the world with it."""
    with demo.applied(SLOW_RATINGS):
        page = open_page(f"{demo.url}/graph?{LIVE}")
        page.get_by_label("Find", exact=True).fill("rt > 1900 and name = reviews")
        expect(page.locator("[data-node].lit[data-name^=reviews]").first).to_be_visible()
        edge(page, "reviews v2", "ratings v1").click()
        panel = page.get_by_role("complementary", name="Selection")
        expect(panel).to_contain_text("DI the answer was delayed by an injected fault")

        panel.get_by_role("link", name="Show traces").click()
        expect(page.locator(".trace-item").first).to_be_visible()
        page.get_by_label("Service", exact=True).select_option("")
        page.get_by_label("Tags", exact=True).fill("response_flags=DI")
        page.get_by_role("button", name="Find traces").click()
        page.wait_for_url("**/search?*response_flags*")
        page.get_by_label("Sort by").select_option("longest")
        page.locator(".trace-item").first.click()

        hop = page.locator(".decisions tr", has_text="delayed by an injected fault").first
        page.locator(".decisions summary").click()
        expect(hop).to_contain_text("fault delay")
        expect(hop.get_by_role("link", name="virtual-service default/ratings")).to_be_visible()
        page.get_by_label("Find in trace").fill("response_flags=DI")
        page.get_by_role("button", name="Next match").click()
        guilty = page.locator(".tl-row[aria-selected=true]")
        expect(guilty).to_contain_text("reviews.default")
        guilty.click()
        expect(page.locator(".details")).to_contain_text("response_flags")

        page.get_by_role("link", name="Show access logs").click()
        entry = page.locator(".log").filter(has=page.locator(".flag", has_text="DI")).first
        entry.locator("summary").click()
        entry.get_by_role("link", name="virtual-service default/ratings").click()

        expect(page.get_by_role("heading", name="ratings")).to_contain_text("VirtualService in default")
        expect(page.get_by_label("YAML")).to_have_value(re.compile(r"fixedDelay: 2s"))
        page.get_by_role("button", name="Delete").click()
        page.get_by_role("button", name="Delete VirtualService").click()
        expect(page.get_by_role("status")).to_contain_text("Deleted")

        assert eventually(lambda: "injected fault" not in newest_decisions(page, demo), SOON_S)


def newest_decisions(page: Page, demo: Demo) -> str:
    """What the proxies decided for the newest call of ratings."""
    page.goto(f"{demo.url}/search?service=ratings&lookback=5m")
    page.locator(".trace-item").first.click()
    decisions = page.locator(".decisions")
    expect(decisions).to_contain_text("/ratings/", timeout=A_MOMENT_MS)  # the log may come after the spans
    return decisions.text_content() or ""


def replay_until_even(page: Page) -> None:
    """Step back to the moment when v1 and v3 had as many calls, as before the shift."""
    first, third = (edge(page, "productpage v1", f"reviews {version}") for version in ("v1", "v3"))
    expect(first).to_be_visible()
    page.get_by_role("button", name="Replay").click()
    page.wait_for_url("**replay=*")

    def even() -> bool:
        page.get_by_role("button", name="Step back").click()
        page.wait_for_load_state("networkidle")
        return 0 < rate(first) < 1.6 * rate(third)

    assert eventually(even, SOON_S)
    page.get_by_role("button", name="Back to now").click()
    expect(page.get_by_role("button", name="Step back")).to_be_hidden()


def test_a_fifth_goes_to_v2(demo: Demo, open_page: OpenPage) -> None:
    """The wizard in one window; in another the labels of the graph move."""
    graph = open_page(f"{demo.url}/graph?{LIVE}")
    calls = {version: edge(graph, "productpage v1", f"reviews {version}") for version in ("v1", "v3")}
    for label in calls.values():
        expect(label).to_be_visible()
    wizard = open_page(f"{demo.url}/configuration")
    wizard.get_by_role("link", name="Wizards").click()
    wizard.get_by_label("Service", exact=True).select_option("default/reviews")
    for version, percent in (("v3", "0"), ("v2", "20")):
        wizard.get_by_label(f"Share of {version}, percent").fill(percent)
        wizard.get_by_label(f"Share of {version}, percent").press("Enter")
    expect(wizard.get_by_label("Share of v1, percent")).to_have_value("80")
    expect(wizard.get_by_label("Difference")).to_contain_text(re.compile(r"-\s+weight: 40"))
    with demo.applied():  # what the wizard applies is gone after this, whatever happens
        wizard.get_by_role("button", name="Apply").click()
        expect(wizard.locator(".toast")).to_contain_text("Applied as revision")
        assert eventually(lambda: rate(calls["v1"]) > 2 * rate(calls["v3"]), SOON_S)
        expect(wizard.locator("[data-version=v1] [data-share]")).to_be_visible()
        replay_until_even(open_page(f"{demo.url}/graph?lookback=5m"))
        wizard.get_by_role("button", name="Undo").click()
        expect(wizard.locator(".toast")).to_contain_text("Undone")
    assert "weight: 80" not in demo.yaml("VirtualService", "reviews")
