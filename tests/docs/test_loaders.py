"""What docs/loaders.md says is of the loaders that the script tries; and the comparison tells what differs."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.loaders.account import Loads
from bench.loaders.compare import compare_values, deletions, is_same, tables_of
from bench.loaders.page import names_in, section, written
from bench.loaders.places import Place
from bench.loaders.targets import LOADERS
from tap_crm.providers.setting_table import rows
from tests.meltano.project import plugins

if TYPE_CHECKING:
    from bench.loaders.account import Key, Record
    from bench.loaders.targets import Loader

MELTANO = "as in `meltano.yml`"
PAGE = (Path(__file__).parents[2] / "docs" / "loaders.md").read_text("utf-8")


def test_the_page_has_each_loader_once_in_the_order_of_the_list() -> None:
    assert names_in(PAGE) == [loader.name for loader in LOADERS]


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader.name)
def test_the_page_says_what_is_installed_and_which_settings_the_tap_needs(loader: Loader) -> None:
    part = PAGE.partition(f"<!-- loader: {loader.name} -->")[2].partition("<!-- end -->")[0]
    assert f"`{' '.join(loader.packages)}`" in part
    assert loader.title in part
    assert loader.tap.keys() <= {row.name for row in rows()}
    assert "**Does not load:**" in part or all(f"`{name}: " in part for name in loader.tap)


def test_loaders_of_meltano_have_the_pins_that_were_tried() -> None:
    tried = {" ".join(loader.packages) for loader in LOADERS}
    own = {"target-crm", "target-copper", "target-close", "target-copera"}
    loaders = {
        name: one["pip_url"] for name, one in plugins().items() if name.startswith("target-") and name not in own
    }
    assert set(loaders.values()) <= tried


@pytest.mark.parametrize("loader", [one for one in LOADERS if one.advice.startswith(MELTANO)], ids=lambda one: one.name)
def test_what_is_said_to_be_as_in_meltano_is_tried_with_the_same_settings(loader: Loader) -> None:
    """Meltano makes an object of names with a dot."""
    config = plugins()[loader.command]["config"]
    for name, value in loader.extra.items():
        parts = {f"{name}.{part}": one for part, one in value.items()} if isinstance(value, dict) else {name: value}
        assert parts.items() <= config.items()


def test_a_loader_whose_server_is_not_had_is_said_to_be_untried() -> None:
    result = {"title": "T", "packages": "p==1", "advice": "", "untried": "there is no server of it here"}
    assert "**Not tried:** there is no server of it here." in section("clickhouse", result)


def test_a_section_that_is_made_anew_leaves_the_others() -> None:
    first, second = LOADERS[0].name, LOADERS[1].name
    result = {"title": "T", "packages": "p==1", "advice": "", "fails": "stops"}
    page = written("before\n<!-- loaders -->\n<!-- end of loaders -->\nafter\n", {second: result})
    page = written(page, {first: {**result, "title": "F"}})
    assert names_in(page) == [first, second]
    assert section(second, result) in page
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert written(page, {first: {**result, "title": "F"}}) == page


def test_columns_in_lower_case_are_the_properties_that_they_hold() -> None:
    """As a database names them; a column of the loader's own keeps its name."""
    loads = Loads(truth={"rows": {("a",): {"rowId": "a", "n": 1}}})
    loads.schemas = {"rows": {"key_properties": ["rowId"], "schema": {"properties": {"rowId": {}, "n": {}}}}}
    place = Place({}, lambda _: {"rows": [{"rowid": "a", "n": 0}, {"rowid": "a", "n": 1, "_sdc_x": 2}]})
    assert tables_of(place, loads) == {"rows": {("a",): {"rowId": "a", "n": 1, "_sdc_x": 2}}}


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        ("text", "", "", True),
        ("text", "", None, False),
        ("text", "a\nb", "a\\nb", False),
        ("number", Decimal("0.1"), 0.1, True),
        ("number", 9_007_199_254_740_993, 9_007_199_254_740_992.0, False),
        ("number", Decimal("12345678901234567.89"), Decimal("12345678901234567.89"), True),
        ("integer", 5, "5", True),
        ("boolean", False, 0, False),
        ("boolean", True, "True", True),
        ("date", "1969-12-31", date(1969, 12, 31), True),
        ("date", "1969-12-31", datetime(1969, 12, 31), False),  # noqa: DTZ001 - as databases give it
        ("time", "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5), True),  # noqa: DTZ001
        ("time", "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC), False),
        ("text_list", ["a", "b"], '["a", "b"]', True),
        ("text_list", ["a", "b"], "['a', 'b']", False),
        ("object", {"a": [1.5]}, {"a": [Decimal("1.5")]}, True),
        ("text", None, "", False),
    ],
)
def test_only_what_says_the_same_is_the_same(kind: str, one: object, other: object, same: bool) -> None:
    assert is_same(kind, one, other) == same


def test_what_differs_is_counted_by_kind_with_the_first_of_them() -> None:
    loads = Loads(gone={("2",), ("3",), ("4",)})
    text = {"type": ["string", "null"]}
    loads.schemas = {"people": {"schema": {"properties": {"id": {"type": ["integer"]}, "name": text}}}}
    loads.truth = {"people": {("1",): {"id": 1, "name": ""}, ("5",): {"id": 5, "name": None}}}
    held: dict[Key, Record] = {
        ("1",): {"id": 1, "name": None},
        ("2",): {"_sdc_deleted_at": "x"},
        ("3",): {},
        ("5",): {"id": 5, "name": None},
    }
    found = compare_values(loads, {"people": held})
    assert found.told("texts") == '1 of 1 changed: `""` → `null`'
    assert (found.told("numbers"), found.told("nulls"), found.told("dates")) == ("exact", "exact", "none")
    assert sorted(deletions(loads, {"people": held}).split(", ")) == ["1 kept", "1 marked", "1 removed"]
