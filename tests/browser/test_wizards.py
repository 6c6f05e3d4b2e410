"""The wizards' page on a real server with a mesh: fill in, look at what it changes, apply, undo."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from benchmarks.serving import Server
from proxy.wizards.wizard import KINDS
from tests.browser.accessibility import serious_findings
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.proxy.pilot.mesh import routes, service
from tests.proxy.pilot.test_wizards import PODS

QUIET = {"VIGLA_SCRAPE__OWN": "false", "VIGLA_RULES__MESH": "false", "VIGLA_MESH__ENABLED": "true"}
LONG = "a-service-with-a-name-as-long-as-names-of-services-may-be-in-it"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("wizards") / "lake", QUIET) as server:
        yield server


@pytest.fixture
def wizard(mesh: Server, open_page: OpenPage) -> Iterator[tuple[Page, str]]:
    """The page and its address; the mesh is emptied afterwards."""
    api = f"{mesh.query_url}/api/vigla/v1/mesh"
    text = service() + PODS + service(LONG)
    httpx.post(f"{api}/apply", content=text).raise_for_status()
    address = f"{mesh.query_url}/configuration/wizards"
    # The browser itself complains of each form that the server refuses (422).
    yield open_page(f"{address}?namespace=default&service=reviews", expect_failures=True), address
    httpx.post(f"{api}/revisions/0/rollback").raise_for_status()


def changes(page: Page) -> Locator:
    return page.get_by_label("Difference")


def test_shares_are_shifted_and_undone(wizard: tuple[Page, str], mesh: Server) -> None:
    page, _ = wizard
    apply = page.get_by_role("button", name="Apply")
    expect(page.get_by_text("Nothing yet: the form shows how the mesh is configured now.")).to_be_visible()
    expect(apply).to_be_disabled()
    share = page.get_by_label("Share of v2, percent")
    share.fill("20")
    share.press("Enter")
    expect(page.get_by_label("Share of v1, percent")).to_have_value("80")
    expect(changes(page)).to_contain_text("weight: 20")
    expect(page.get_by_text("Nothing is wrong with it")).to_be_visible()
    apply.click()
    expect(page.locator(".toast")).to_contain_text("Applied as revision")
    expect(page).to_have_url(re.compile("undo="))
    assert "weight: 20" in stored(mesh)
    page.reload()
    expect(page.get_by_label("Share of v2, percent")).to_have_value("20")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("Undone")
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    assert "weight" not in stored(mesh)


def stored(mesh: Server) -> str:
    query = {"kind": "VirtualService", "output": "yaml"}
    return httpx.get(f"{mesh.query_url}/api/vigla/v1/mesh/config", params=query).text


def test_undo_says_what_others_changed_since(wizard: tuple[Page, str], mesh: Server) -> None:
    page, _ = wizard
    page.get_by_role("button", name="All to v1").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".toast")).to_contain_text("Applied as revision")
    api = f"{mesh.query_url}/api/vigla/v1/mesh"
    httpx.post(f"{api}/apply", content=service("other")).raise_for_status()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo this and one later change?").click()
    expect(page.locator(".toast")).to_contain_text("Undone")
    assert "other" not in httpx.get(f"{api}/config", params={"kind": "Service"}).text


def test_a_mistake_is_marked_at_its_field(wizard: tuple[Page, str]) -> None:
    page, _ = wizard
    page.get_by_role("link", name="Fault injection").click()
    page.get_by_label("Delay", exact=True).check()
    wait = page.get_by_label("Wait")
    expect(changes(page)).to_contain_text("fixedDelay: 5s")
    wait.fill("soon")
    expect(wait).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("write a duration with its unit")).to_be_visible()
    expect(page.get_by_role("button", name="Apply")).to_be_disabled()
    wait.fill("250ms")
    expect(wait).not_to_have_attribute("aria-invalid", "true")
    expect(changes(page)).to_contain_text("fixedDelay: 250ms")


def test_rules_are_added_moved_and_removed(wizard: tuple[Page, str]) -> None:
    page, _ = wizard
    page.get_by_role("link", name="Request routing").click()
    rules = page.locator(".wizard-rules > li")
    expect(rules).to_have_count(1)
    page.get_by_role("button", name="Add a rule").click()
    expect(rules).to_have_count(2)
    expect(changes(page)).to_contain_text("exact: jason")
    rules.first.get_by_label("Value").fill("<b>ada</b>")
    expect(changes(page)).to_contain_text("exact: <b>ada</b>")
    rules.first.get_by_role("button", name="Move down").click()
    expect(page.get_by_text("rule 1 takes every request: put it last")).to_be_visible()
    rules.last.get_by_role("button", name="Remove", exact=True).click()
    expect(rules).to_have_count(1)


@pytest.mark.parametrize(
    ("name", "fill", "shown"),
    [
        ("Timeouts and retries", "Callers wait no longer than", "timeout: 3s"),
        ("Circuit breaker", "Leave out endpoints that fail", "consecutive5xxErrors: 5"),
    ],
)
def test_other_wizards(wizard: tuple[Page, str], name: str, fill: str, shown: str) -> None:
    page, _ = wizard
    page.get_by_role("link", name=name).click()
    page.get_by_label(fill).check()
    expect(changes(page)).to_contain_text(shown)


def test_mirroring(wizard: tuple[Page, str]) -> None:
    page, _ = wizard
    page.get_by_role("link", name="Mirroring").click()
    page.get_by_label("Copies go to").select_option("v2")
    expect(changes(page)).to_contain_text("subset: v2")


def test_a_service_that_a_form_cannot_change_says_why(wizard: tuple[Page, str], mesh: Server) -> None:
    page, _ = wizard
    page.get_by_label("Service", exact=True).select_option(f"default/{LONG}")
    expect(page.get_by_text("has the label version")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    text = routes("one", LONG) + routes("two", LONG)
    httpx.post(f"{mesh.query_url}/api/vigla/v1/mesh/apply", content=text).raise_for_status()
    page.get_by_role("link", name="Mirroring").click()
    expect(page.get_by_text("several VirtualService objects")).to_be_visible()


def test_a_phone_and_the_dark(wizard: tuple[Page, str], open_page: OpenPage) -> None:
    _, address = wizard
    for kind in ("request-routing", "circuit-breaker"):
        page = open_page(f"{address}/{kind}?namespace=default&service=reviews", PHONE, "dark")
        expect(page.get_by_role("heading", name="What it changes")).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        assert serious_findings(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessibility(wizard: tuple[Page, str], open_page: OpenPage, theme: str) -> None:
    _, address = wizard
    for kind in KINDS:
        page = open_page(
            f"{address}/{kind}?namespace=default&service=reviews", DESKTOP, theme, expect_failures=True
        )
        for box in page.locator(".wizard-optional input[type=checkbox]").all():
            box.check()
        page.wait_for_load_state("networkidle")
        assert serious_findings(page) == []


def test_a_service_that_is_not_there(mesh: Server, open_page: OpenPage) -> None:
    address = f"{mesh.query_url}/configuration/wizards/timeouts"
    page = open_page(f"{address}?namespace=default&service=lost", expect_failures=True)
    expect(page.get_by_role("alert")).to_contain_text("no service default/lost")


def test_without_a_mesh(empty_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{empty_server}/configuration/wizards/timeouts")
    expect(page.get_by_role("heading", name="This server has no mesh")).to_be_visible()
