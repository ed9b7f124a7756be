"""How the page looks and behaves: in a real browser, where one is."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from scripts.browser import MISSING, browser, chromium
from tap_crm.report.command import main
from tests.audit.loaded import DuckDbFile
from tests.report.audits import failed, make, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

NARROW, WIDE = {"width": 340, "height": 700}, {"width": 1200, "height": 900}
LONG = "a_table_of_copera_with_a_name_as_long_as_people_like_them__and_its_board"


@dataclass
class Shown:
    """The page in the browser, and what it did there."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def started() -> Iterator[Browser]:
    """Give a browser."""
    with browser() as given:
        yield given


@pytest.fixture(scope="module")
def shown(started: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Show a page, with what can be on one."""
    folder = tmp_path_factory.mktemp("page")
    file = DuckDbFile(folder / "loaded.duckdb")
    renamed = "custom field 1 of people was renamed: its values arrive in `b` from now on; `a` keeps what was loaded"
    rows = [row("people", notes=[renamed, "x" * 300]), failed("<script>alert(1)</script>", "y" * 300), row(LONG, 30)]
    make(file, [*rows, row("people", 30, records=500, rate_limited=1, deletions=3)])
    out = folder / "report.html"
    with pytest.raises(SystemExit):
        main(["--database", file.address, "--out", str(out), "--days", "366"])
    context = started.new_context(viewport=WIDE, color_scheme="light")  # type: ignore[arg-type]  # a plain dict
    given = Shown(context.new_page())
    given.page.on("console", lambda message: given.complaints.append(message.text))
    given.page.on("pageerror", lambda error: given.complaints.append(str(error)))
    given.page.on("request", lambda request: given.requests.append(request.url))
    given.page.goto(out.as_uri())
    yield given
    context.close()


def test_it_renders_without_a_complaint_and_asks_for_nothing_else(shown: Shown) -> None:
    assert shown.page.locator("h1").inner_text() == "What tap-crm has loaded"
    assert "not complete" in shown.page.locator(".headline").inner_text()
    assert shown.page.locator("svg.bars .bar").count() > 0
    assert shown.page.locator("figure svg").first.bounding_box()["height"] > 50  # type: ignore[index]  # it is shown
    assert shown.complaints == []
    assert [url.rpartition("/")[2] for url in shown.requests] == ["report.html"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_in_light_and_in_dark(scheme: str, shown: Shown) -> None:
    """Contrast, headings, tables, names of regions: all that axe-core can tell."""
    shown.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
    ground = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 21, 27)"}[scheme]
    found = Axe().run(shown.page)
    shown.page.emulate_media(color_scheme="light")
    assert found.violations_count == 0, found.generate_report()


def test_it_is_used_by_the_keyboard_alone(shown: Shown) -> None:
    page = shown.page
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]  # it is seen now
    page.keyboard.press("Enter")
    assert page.url.endswith("#what-to-do")
    tags = []
    for _ in range(8):
        page.keyboard.press("Tab")
        tags.append(page.evaluate("document.activeElement.tagName"))
        if page.evaluate("document.activeElement.innerText").startswith("The same as a table"):
            break
    details = page.locator("details:not(.account)").first
    assert details.get_attribute("open") is None
    page.keyboard.press("Enter")
    assert details.get_attribute("open") is not None
    page.keyboard.press("Enter")
    assert {"SUMMARY", "DIV"} <= set(tags)  # what folds, and what scrolls


def test_on_a_narrow_screen_only_tables_scroll_to_the_side(shown: Shown) -> None:
    shown.page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # a plain dict
    width = shown.page.evaluate("document.documentElement.scrollWidth")
    cut = shown.page.evaluate(
        "[...document.querySelectorAll('p, dd, h2, h3, figcaption')]"
        ".filter(one => one.scrollWidth > one.clientWidth && one.clientWidth).map(one => one.innerText)"
    )
    shown.page.set_viewport_size(WIDE)  # type: ignore[arg-type]  # a plain dict
    assert (width, cut) == (NARROW["width"], [])


def test_on_paper_everything_is_unfolded_and_light(shown: Shown) -> None:
    page = shown.page
    page.emulate_media(media="print", color_scheme="dark")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    folded = page.locator("details:not([open]) table").first
    box = folded.bounding_box()
    paper = page.pdf(format="A4")
    page.emulate_media(media="screen", color_scheme="light")
    assert ground == "rgb(255, 255, 255)"
    assert box is not None
    assert box["height"] > 20
    assert paper.startswith(b"%PDF")
