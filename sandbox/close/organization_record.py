"""The organization itself, as a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import DAY, SECOND, text_of
from sandbox.close.object_types import shown

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def organization_record(source: RandomValues, lists: dict[str, list[Record]], *, expand: set[str]) -> Record:
    """Give the organization as it is now."""
    start = (source.shape.now - 86_400 * 1_300) * SECOND
    users = {one["id"]: one for one in source.all_users}
    record: Record = {
        "id": source.organization_id,
        "name": "Sandbox & Söhne",
        "currency": "USD",
        "currency_symbol": "$",
        "lead_statuses": [{"id": one["id"], "label": one["label"]} for one in lists["lead_statuses"]],
        "pipelines": lists["pipelines"],
        "created_by": None,
        "updated_by": None,
        "date_created": text_of(start),
        "date_updated": text_of(start + 5 * DAY + 12_000),
    }
    for key, active in (("memberships", True), ("inactive_memberships", False)):
        found = [one for one in lists["memberships"] if one["active"] is active]
        plain = [shown("memberships", one) for one in found]
        wide = f"{key}__user" in expand
        record[key] = [one | {"user": users.get(one["user_id"])} for one in plain] if wide else plain
    return record
