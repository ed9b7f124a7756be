"""The site of the documentation has every page, and its links lead to where things are there."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from scripts.docs_site import PAGES, moved
from tests.started import run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venvs" / "docs" / "bin" / "python"
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
#: What people want to do, in this order.
ASKED = (
    *("get-started", "copper", "close", "copera", "settings", "custom-fields", "deletions", "endpoints", "schedules"),
    *("events", "loaders", "operations", "audit", "reading-exactly", "writing", "first-change"),
)


def pages(part: object) -> Iterator[str]:
    """Yield the pages of a part of the navigation, in order."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for one in part:
            yield from pages(one)
    elif isinstance(part, dict):
        for one in part.values():
            yield from pages(one)


def test_the_navigation_leads_to_every_page() -> None:
    there = {path.name for path in (ROOT / "docs").glob("*.md")} | set(PAGES.values())
    assert sorted(pages(CONFIG["nav"])) == sorted(there)


def test_it_goes_by_what_people_want_to_do() -> None:
    found = [page.removesuffix(".md") for page in pages(CONFIG["nav"])]
    assert [page for page in found if page in ASKED] == list(ASKED)


def test_it_loads_no_font_from_elsewhere() -> None:
    assert CONFIG["theme"]["font"] is False


@pytest.mark.parametrize(
    ("link", "is_of_root", "there"),
    [
        ("copper.md#people", False, "[x](copper.md#people)"),
        ("#here", False, "[x](#here)"),
        ("https://example.com/a", False, "[x](https://example.com/a)"),
        ("../CONTRIBUTING.md#rules", False, "[x](contributing.md#rules)"),
        ("../schemas/copper", False, "x"),
        ("../README.md", False, "[x](README.md)"),
        ("docs/copper.md#people", True, "[x](copper.md#people)"),
        ("CHANGELOG.md", True, "[x](changelog.md)"),
        ("README.md", True, "[x](README.md)"),
        ("pyproject.toml", True, "x"),
    ],
)
def test_links_lead_to_where_things_are_on_the_site(link: str, is_of_root: bool, there: str) -> None:
    assert moved("x", link, is_of_root=is_of_root) == there


@pytest.mark.skipif(not PYTHON.exists(), reason="./scripts/docs was not run in this checkout")
def test_a_link_that_leads_nowhere_fails(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# A page\n\n[a](#none)\n", "utf-8")
    config = {name: CONFIG[name] for name in ("site_name", "validation")} | {"docs_dir": str(tmp_path / "docs")}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(config | {"site_dir": str(tmp_path / "site")}), "utf-8")
    command = [str(PYTHON), "-m", "mkdocs", "build", "--strict", "--config-file", str(tmp_path / "mkdocs.yml")]
    done = run(command)
    assert done.returncode == 1
    assert "#none" in (done.stdout + done.stderr).decode()
