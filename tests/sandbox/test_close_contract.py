"""The Close server takes the parameters that Close documents for a path, and no others."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.close.contract import LISTED, is_paged, parameters_of, template_of
from sandbox.close.small_lists import LISTS

if TYPE_CHECKING:
    from sandbox.client import CloseClient

UNPAGED = [path for path, one in LISTS.items() if not is_paged(path) or not one.paged]
#: What the documentation denies to be in pages at all, whatever its OpenAPI document leaves out.
NEVER_PAGED = [path for path, one in LISTS.items() if not one.paged]
#: What must be given besides, that a list answers at all.
NEEDED = {
    "comment": {"thread_id": "comthr_1"},
    "custom_object": {"lead_id": "lead_1"},
    "sequence_subscription": {"sequence_id": "seq_1"},
}


@pytest.mark.parametrize("path", UNPAGED)
@pytest.mark.parametrize("name", ["_limit", "_skip"])
def test_lists_without_pages_refuse_to_be_asked_for_one(calm: CloseClient, path: str, name: str) -> None:
    answer = calm.get(path, **NEEDED.get(path, {}), **{name: "1"})
    assert answer.status_code == 400
    assert answer.json()["field-errors"] == {name: "Unknown parameter."}


@pytest.mark.parametrize(
    "path", ["pipeline", "custom_field/shared", "custom_field/custom_object_type", "integration_link"]
)
def test_the_lists_of_which_one_would_not_think_it_are_without_pages(path: str) -> None:
    assert path in UNPAGED


def test_lists_that_only_one_page_of_the_documentation_has_without_pages_may_have_them(asker: CloseClient) -> None:
    asker.control("configure", {"unlisted_paging": "honoured"})
    answer = asker.get("integration_link", _limit=2).json()
    assert (len(answer["data"]), answer["has_more"]) == (2, True)
    assert all(asker.get(path, _limit="1").status_code == 400 for path in NEVER_PAGED)


def test_parts_of_a_path_stand_for_any_id() -> None:
    assert template_of("activity/note/acti_1") == "activity/note/{id}"
    assert template_of("custom_field_schema/lead") == "custom_field_schema/{object_type}"
    assert template_of("activity/import_update") is None
    assert parameters_of("activity/import_update") is None


def test_every_list_that_is_played_is_documented() -> None:
    assert [path for path in LISTS if path not in LISTED] == ["form"]  # that one by another page
