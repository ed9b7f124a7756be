"""The organization: its people, roles, statuses and pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import words
from sandbox.close.kinds import shown
from sandbox.close.moments import DAY, SECOND, bare, text_of

if TYPE_CHECKING:
    from sandbox.close.source import Source
    from sandbox.exchange import Record

ADMIN_EMAIL = "admin@example.com"
_ROLES = (("admin", "Admin"), ("superuser", "Super User"), ("user", "User"), ("restricteduser", "Restricted User"))
_LABELS = ("Potential", "Bad Fit", "Qualifiziert", "Client 🤝", "見込み")
_STAGES = (("Demo", "active"), ("Vertrag", "active"), ("Won 🎉", "won"), ("Lost", "lost"))


def people(source: Source) -> dict[str, list[Record]]:
    """Make users, memberships (former ones, too), roles and groups."""
    shape = source.shape
    users = [_user(source, place) for place in range(shape.users + shape.inactive_users)]
    start = (shape.now - 86_400 * 1_000) * SECOND
    roles = [_role(source, number, name, "0001-01-01T00:00:00", editable=False) for number, name in _ROLES]
    roles.append(_role(source, source.short("role"), "Außendienst", bare(start + 184_401), editable=True))
    active = users[: shape.users]
    return {
        "users": active,
        "all_users": users,
        "memberships": [_membership(source, one, active=place < shape.users) for place, one in enumerate(users)],
        "roles": roles,
        "groups": [
            {
                "id": source.long("group"),
                "name": name,
                "organization_id": source.organization_id,
                "members": [{"user_id": one["id"]} for one in active[:count]],
            }
            for count, name in enumerate(("Leer", "Sales", "Vertrieb Süd"))
        ],
    }


def statuses(source: Source) -> dict[str, list[Record]]:
    """Make lead statuses, opportunity statuses and pipelines."""
    organization_id = source.organization_id
    lead_statuses: list[Record] = [
        {"id": source.long("stat"), "label": label, "organization_id": organization_id}
        | ({"type": "active"} if place else {})
        for place, label in enumerate(_LABELS)
    ]
    start = (source.shape.now - 86_400 * 1_200) * SECOND
    pipelines: list[Record] = []
    opportunity_statuses: list[Record] = []
    for place, name in enumerate(("Sales", "Partner «Süd»")):
        number = source.short("pipe")
        stages = [{"id": source.long("stat"), "label": label, "type": sort} for label, sort in _STAGES]
        pipelines.append(
            {
                "id": number,
                "name": name,
                "organization_id": organization_id,
                "statuses": stages,
                "created_by": None,
                "updated_by": None,
                "date_created": bare(start + 184_401),
                "date_updated": bare(start + place * DAY),
            }
        )
        extra = {"pipeline_id": number, "organization_id": organization_id}
        opportunity_statuses += [stage | extra for stage in stages]
    return {"lead_statuses": lead_statuses, "opportunity_statuses": opportunity_statuses, "pipelines": pipelines}


def organization(source: Source, lists: dict[str, list[Record]], *, expand: set[str]) -> Record:
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


def _user(source: Source, place: int) -> Record:
    first = words.FIRST_NAMES[place % len(words.FIRST_NAMES)]
    start = (source.shape.now - 86_400 * (1_100 - place)) * SECOND
    record: Record = {
        "id": source.long("user"),
        "email": f"user{place}@example.com" if place else ADMIN_EMAIL,
        "first_name": first,
        "last_name": words.LAST_NAMES[place % len(words.LAST_NAMES)],
        "image": "https://example.com/face.png",
        "last_used_timezone": "Europe/Zurich" if place % 3 else None,
        "email_verified_at": text_of(start + 61_000) if place % 4 else None,
        "organizations": [source.organization_id],
        "date_created": text_of(start),
        "date_updated": text_of(start + place * DAY + 7_000),
    }
    return record | ({"google_profile_image_url": None} if place % 2 else {})


def _membership(source: Source, user: Record, *, active: bool) -> Record:
    return {
        "id": source.long("memb"),
        "active": active,
        "user_id": user["id"],
        "role_id": "admin" if user["email"] == ADMIN_EMAIL else source.one(list(_ROLES))[0],
        "user_email": user["email"],
        "user_first_name": user["first_name"],
        "user_last_name": user["last_name"],
        "user_full_name": f"{user['first_name']} {user['last_name']}",
        "user_phone": source.maybe(0.5, ["+16505550100"]),
        "auto_record_calls": "unset",
        "permissions_granted": [],
        "track_email_opens": True,
    }


def _role(source: Source, number: str, name: str, date: str, *, editable: bool) -> Record:
    return {
        "id": number,
        "name": name,
        "editable": editable,
        "permissions": ["export", "bulk_email"] if number == "admin" else [],
        "visibility_user_lcf_behavior": None,
        "visibility_user_lcf_ids": [],
        "organization_id": source.organization_id,
        "date_created": date,
        "date_updated": date,
    }
