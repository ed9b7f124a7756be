"""What Close makes of the custom fields of a body: by id, by type, one value or several."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox


def field(server: CloseSandbox, kind: str, *, many: bool = False, of: str = "lead") -> str:
    """Give the key of the first field of a type."""
    return next(
        f"custom.{one['id']}"
        for one in server.account.lists["custom_fields"]
        if (one["object_type"], one["type"], one["accepts_multiple_values"]) == (of, kind, many)
    )


@pytest.fixture
def lead(writer: CloseClient) -> str:
    return f"lead/{writer.post('lead', {'name': 'Acme'}).json()['id']}"


def written(writer: CloseClient, lead: str, key: str, value: object) -> Any:  # noqa: ANN401
    """Write a value of a field that has none; give what is there then, or the refusal."""
    answer = writer.put(lead, {key: value})
    return answer.json().get(key) if answer.ok else answer.json()["field-errors"][key]


@pytest.mark.parametrize(
    "case",
    [
        ("text", "Grüße", "Grüße"),
        ("number", 12.5, 12.5),
        ("number", -3, -3),
        ("date", "2026-02-03", "2026-02-03"),
        ("date", "2026-02-03T23:30:00-05:00", "2026-02-04"),
        ("datetime", "2026-02-03T10:11:12.345Z", "2026-02-03T10:11:12+00:00"),
        ("datetime", "2026-02-03T10:11:12+01:00", "2026-02-03T09:11:12+00:00"),
        ("choices", "Süd", "Süd"),
        ("choices", "Mars", "Value is not one of the choices."),
        ("number", "12", "Not a valid number."),
        ("number", True, "Not a valid number."),
        ("text", 5, "Not a valid string."),
        ("text", ["a"], "This field takes one value only."),
        ("date", "03.02.2026", "Not a valid date."),
        ("date", "2026-02-30", "Not a valid date."),
        ("datetime", "2026-02-03", "Not a valid datetime."),
        ("user", "user_0", "There is no users with this id."),
    ],
)
def test_a_value_is_read_by_the_type_of_its_field(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str, case: tuple[str, object, object]
) -> None:
    kind, sent, kept = case
    assert written(writer, lead, field(tiny_server, kind), sent) == kept


def test_references_are_ids_of_what_is_there(writer: CloseClient, tiny_server: CloseSandbox, lead: str) -> None:
    account = tiny_server.account
    contact, user = str(account.ids("contacts")[0]), account.source.user_ids[1]
    assert written(writer, lead, field(tiny_server, "contact"), contact) == contact
    assert written(writer, lead, field(tiny_server, "user"), user) == user
    key = field(tiny_server, "custom_object")
    wanted = next(one for one in account.lists["custom_fields"] if f"custom.{one['id']}" == key)
    by_type = {one["custom_object_type_id"]: one["id"] for one in account.lists["custom_objects"]}
    right = by_type.pop(wanted["referenced_custom_type_id"])
    assert written(writer, lead, key, right) == right
    for wrong in by_type.values():
        assert "another type" in written(writer, lead, key, wrong)


def test_null_clears_and_the_key_is_absent_then(writer: CloseClient, tiny_server: CloseSandbox, lead: str) -> None:
    key = field(tiny_server, "text")
    assert written(writer, lead, key, "x") == "x"
    assert key not in writer.put(lead, {key: None}).json()
    assert key not in writer.get(lead).json()


@pytest.mark.parametrize("kept", [False, True])
def test_what_is_empty_may_be_a_value(writer: CloseClient, tiny_server: CloseSandbox, lead: str, *, kept: bool) -> None:
    tiny_server.behaviour.empty_values = "kept" if kept else "cleared"
    text, texts = field(tiny_server, "text"), field(tiny_server, "text", many=True)
    record = writer.put(lead, {text: "", texts: []}).json()
    assert {key: record[key] for key in (text, texts) if key in record} == ({text: "", texts: []} if kept else {})


def test_a_list_is_replaced_and_add_and_remove_change_one_value(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str
) -> None:
    key = field(tiny_server, "choices", many=True)
    assert written(writer, lead, key, ["Nord", "Süd"]) == ["Nord", "Süd"]
    assert written(writer, lead, key, ["東京"]) == ["東京"]
    assert writer.put(lead, {f"{key}.add": "Nord"}).json()[key] == ["東京", "Nord"]
    assert writer.put(lead, {f"{key}.remove": "東京"}).json()[key] == ["Nord"]
    assert writer.put(lead, {f"{key}.remove": "東京"}).json()[key] == ["Nord"]
    assert key not in writer.put(lead, {f"{key}.remove": "Nord"}).json()


@pytest.mark.parametrize(("outcome", "kept"), [("ignored", ["Nord"]), ("doubled", ["Nord", "Nord"]), ("refused", None)])
def test_a_value_may_be_added_twice(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str, outcome: str, kept: list[str] | None
) -> None:
    writer.control("configure", {"add_twice": outcome})
    key = field(tiny_server, "choices", many=True)
    writer.put(lead, {f"{key}.add": "Nord"})
    assert writer.put(lead, {f"{key}.add": "Nord"}).json().get(key) == kept


@pytest.mark.parametrize("what", ["add", "remove"])
def test_single_values_can_not_be_added_to(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str, what: str
) -> None:
    key = f"{field(tiny_server, 'text')}.{what}"
    assert written(writer, lead, key, "x") == "This field takes one value only."
    many = field(tiny_server, "text", many=True)
    assert writer.put(lead, {many: ["x"], f"{many}.{what}": "y"}).status_code == 400


def test_a_field_of_another_object_is_unknown(writer: CloseClient, tiny_server: CloseSandbox, lead: str) -> None:
    writer.control("configure", {"unknown_fields": "ignored"})
    for key in (field(tiny_server, "text", of="contact"), "custom.cf_0", f"{field(tiny_server, 'text')}.set"):
        assert written(writer, lead, key, "x") == "Unknown custom field."


def test_a_shared_field_is_one_of_each_object_it_is_for(writer: CloseClient, tiny_server: CloseSandbox) -> None:
    shared = tiny_server.account.add_field(
        object_type="shared",
        name="Key",
        type="hidden",
        associations=[{"object_type": "lead"}, {"object_type": "opportunity"}],
    )
    body = {f"custom.{shared}": "k1"}
    lead = writer.post("lead", body).json()
    assert lead[f"custom.{shared}"] == "k1"
    assert writer.post("opportunity", {"lead_id": lead["id"]} | body).json()[f"custom.{shared}"] == "k1"
    assert writer.post("contact", {"lead_id": lead["id"]} | body).status_code == 400


def test_a_field_of_which_the_role_may_not_change_values(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str
) -> None:
    key = field(tiny_server, "text")
    number = key.removeprefix("custom.")
    tiny_server.account.edit("custom_fields", ids=[number], changes={"editable_with_roles": ["user"]})
    assert writer.put(lead, {key: "x"}).status_code == 403
    tiny_server.account.edit("custom_fields", ids=[number], changes={"editable_with_roles": ["user", "admin"]})
    assert writer.put(lead, {key: "x"}).status_code == 200


@pytest.mark.parametrize("form", ["field_errors", "error"])
def test_a_bad_choice_may_be_refused_in_either_envelope(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str, form: str
) -> None:
    writer.control("configure", {"choice_refusal": form})
    answer = writer.put(lead, {field(tiny_server, "choices"): "Mars"})
    assert answer.status_code == 400
    assert set(answer.json()) == ({"error"} if form == "error" else {"errors", "field-errors"})


def test_the_index_finds_a_record_by_a_custom_field_when_it_knows_it(
    writer: CloseClient, tiny_server: CloseSandbox
) -> None:
    writer.control("configure", {"index_lag": 0.6})
    key = field(tiny_server, "hidden")
    number = writer.post("lead", {key: "k1"}).json()["id"]
    condition = {
        "type": "field_condition",
        "field": {"type": "custom_field", "custom_field_id": key.removeprefix("custom.")},
        "condition": {"type": "term", "values": ["k0", "k1"]},
    }
    assert writer.search("lead", condition).json()["data"] == []
    assert writer.get(f"lead/{number}").json()[key] == "k1"
    writer.control("configure", {"index_lag": 0.0})
    tiny_server.account.tables["leads"].settle(float("inf"))
    assert [one["id"] for one in writer.search("lead", condition).json()["data"]] == [number]
