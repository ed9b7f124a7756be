"""The layouts of an account's forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.exchange import Record


def field_layout(
    entity: str, pipeline_id: int | None, definitions: list[Record], singular: str, required: list[str]
) -> list[Record]:
    """Give the layout of an entity's form (field_layouts/by_entity); `required` are keys besides the name's."""
    named = ["Name", "Owner", "Tags", "Description", *(["Pipeline", "Stage", "Value"] if pipeline_id else [])]
    keys = [name.lower() for name in named]
    more = [key for key in required if key not in keys and not key.startswith("cf_")]
    titles = [*named, *(key.replace("_", " ").title() for key in more)]
    rows = [
        _layout_row(1_000 + n, title, key, "static_field", required=key == "name" or key in required)
        for n, (title, key) in enumerate(zip(titles, keys + more, strict=True))
    ]
    rows += [
        _layout_row(one["id"], one["name"], f"cf_{one['id']}", "custom_field", required=f"cf_{one['id']}" in required)
        for one in definitions
        if singular in one["available_on"]
    ]
    rows.append(_layout_row(9_000 + len(entity), "Docs", "embedded_docs", "embedded_app_field", required=False))
    return rows


def _layout_row(number: int, label: str, key: str, kind: str, *, required: bool) -> Record:
    return {
        "field_id": number,
        "field_label": label,
        "field_key": key,
        "field_type": kind,
        "enabled": True,
        "required": required,
        "required_editable": kind == "custom_field",
    }
