"""The configuration page on a real server with a mesh: read, check, apply, delete, roll back."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from benchmarks.serving import Server
from tests.browser.accessibility import serious_findings
from tests.browser.conftest import PHONE, OpenPage

QUIET = {"VIGLA_SCRAPE__OWN": "false", "VIGLA_RULES__MESH": "false", "VIGLA_MESH__ENABLED": "true"}
SERVICE = """apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec:
  selector: {app: reviews}
  ports: [{name: http, port: 9080}]
"""
ROUTE = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
  - route:
    - destination: {host: reviews}
"""
HOSTILE = "a-very-long-name-of-an-object-that-nobody-would-write-by-hand-but-machines-do"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("mesh") / "lake", QUIET) as server:
        yield server


@pytest.fixture
def page(mesh: Server, open_page: OpenPage) -> Page:
    """The page, of a configuration of two objects."""
    api = f"{mesh.query_url}/api/vigla/v1/mesh"
    httpx.post(f"{api}/apply", content=f"{SERVICE}---\n{ROUTE}").raise_for_status()
    # The browser itself complains of each text that the server refuses (422).
    return open_page(f"{mesh.query_url}/configuration", expect_failures=True)


def test_an_object_is_read_and_found(page: Page) -> None:
    expect(page.get_by_label("YAML")).to_have_value(re.compile(r"hosts:\s+- reviews"))
    expect(page.get_by_text("Nothing is wrong with it")).to_be_visible()
    page.get_by_label("Find object").fill("virtualservice shop")
    expect(page.locator("[data-object]")).to_have_count(1)
    page.locator("[data-object]").click()
    expect(page.get_by_role("heading", name="reviews")).to_contain_text("VirtualService in shop")


def test_what_is_wrong_is_told_on_its_line_and_not_applied(page: Page) -> None:
    area = page.get_by_label("YAML")
    expect(area).not_to_have_value("")
    area.fill(ROUTE.replace("host: reviews", "host: reviewz"))
    finding = page.get_by_label("Findings").get_by_role("listitem").first
    expect(finding).to_contain_text("reviewz")
    finding.get_by_role("button").click()
    assert "reviewz" in area.evaluate("a => a.value.slice(a.selectionStart, a.selectionEnd)")
    area.fill(ROUTE.replace("  http:", "  htp:"))
    expect(finding).to_contain_text("htp")
    expect(page.get_by_role("button", name="Apply")).to_be_disabled()


def test_a_change_is_applied_and_undone(page: Page, mesh: Server) -> None:
    area = page.get_by_label("YAML")
    expect(area).not_to_have_value("")
    area.fill(ROUTE + "    timeout: 3s\n")
    apply = page.get_by_role("button", name="Apply")
    expect(apply).to_be_enabled()
    apply.click()
    expect(page.get_by_role("status")).to_contain_text("Applied as revision")
    assert "timeout: 3s" in stored(mesh)
    page.get_by_role("button", name="History").click()
    expect(page.locator(".diff .added", has_text="timeout")).to_be_visible()
    page.locator(".revisions button").nth(1).click()
    back = page.get_by_role("button", name="Roll back to this")
    back.click()
    page.get_by_role("button", name="Undo everything after").click()
    expect(page.locator(".revisions button").first).to_contain_text("Rollback")
    assert "timeout" not in stored(mesh)


def stored(mesh: Server) -> str:
    query = {"kind": "VirtualService", "output": "yaml"}
    return httpx.get(f"{mesh.query_url}/api/vigla/v1/mesh/config", params=query).text


def test_an_object_is_made_and_deleted(page: Page) -> None:
    page.get_by_role("button", name="New object").click()
    area = page.get_by_label("YAML")
    expect(area).to_have_value(re.compile("weight: 90"))
    area.fill(SERVICE.replace("reviews", HOSTILE))
    page.get_by_role("button", name="Apply").click()
    row = page.locator("[data-object]", has_text=HOSTILE[:30])
    expect(row).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete Service").click()
    expect(page.get_by_role("status")).to_contain_text("Deleted")
    expect(row).to_have_count(0)


def test_a_link_to_an_object_that_is_gone_says_so(page: Page, mesh: Server) -> None:
    page.goto(f"{mesh.query_url}/configuration?object=VirtualService%20shop/gone")
    notice = page.get_by_role("status").filter(has_text="VirtualService shop/gone")
    expect(notice).to_contain_text("is not in the configuration any more")
    expect(page.get_by_label("YAML")).to_have_value(re.compile("hosts"))
    notice.get_by_role("link", name="History").click()
    expect(page.locator(".revisions button").first).to_be_visible()


def test_a_server_without_a_mesh_says_how_to_have_one(empty_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{empty_server}/configuration")
    expect(page.get_by_role("heading", name="This server has no mesh")).to_be_visible()


def test_a_phone_needs_no_sideways_scrolling(mesh: Server, page: Page, open_page: OpenPage) -> None:
    expect(page.get_by_label("YAML")).not_to_have_value("")
    small = open_page(f"{mesh.query_url}/configuration", PHONE)
    expect(small.get_by_label("YAML")).not_to_have_value("")
    assert small.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_other_sites_change_nothing(mesh: Server) -> None:
    api = f"{mesh.query_url}/api/vigla/v1/mesh/apply"
    answer = httpx.post(api, content=SERVICE, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


def test_what_can_stand_at_the_caret_is_completed(page: Page) -> None:
    source = page.get_by_label("YAML")
    expect(source).not_to_have_value("")
    source.fill(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: reviews\nspec:\n  "
    )
    page.keyboard.press("Control+Space")
    options = page.get_by_role("option")
    expect(options.filter(has_text="gateways")).to_be_visible()
    page.keyboard.type("hos")
    expect(options).to_have_count(1)
    page.keyboard.press("Tab")
    expect(source).to_have_value(re.compile("spec:\n  hosts:$"))
    page.keyboard.type("\n  - re")
    expect(options).to_have_text(["reviewsshop"])
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    assert serious_findings(page) == []


def test_completion_stays_inside_of_the_editor(page: Page) -> None:
    source = page.get_by_label("YAML")
    expect(source).not_to_have_value("")
    source.fill("kind: VirtualService\nspec:\n" + "  # a line\n" * 60 + "  ")
    page.keyboard.press("Control+Space")
    listed, editor = page.get_by_role("listbox"), page.locator(".editor")
    expect(listed).to_be_visible()
    inner, outer = listed.bounding_box(), editor.bounding_box()
    assert inner
    assert outer
    assert inner["y"] >= outer["y"]
    assert inner["y"] + inner["height"] <= outer["y"] + outer["height"]
