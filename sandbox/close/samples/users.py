"""Makes users, memberships, roles and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.close.moments import DAY, SECOND, bare, text_of

if TYPE_CHECKING:
    from sandbox.close.samples.random_ids import OrganizationIds
    from sandbox.exchange import Record

ADMIN_EMAIL = "admin@example.com"
_ROLES = (("admin", "Admin"), ("superuser", "Super User"), ("user", "User"), ("restricteduser", "Restricted User"))


def users_and_roles(source: OrganizationIds) -> dict[str, list[Record]]:
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


def _user(source: OrganizationIds, place: int) -> Record:
    first = sample_texts.FIRST_NAMES[place % len(sample_texts.FIRST_NAMES)]
    start = (source.shape.now - 86_400 * (1_100 - place)) * SECOND
    record: Record = {
        "id": source.long("user"),
        "email": f"user{place}@example.com" if place else ADMIN_EMAIL,
        "first_name": first,
        "last_name": sample_texts.LAST_NAMES[place % len(sample_texts.LAST_NAMES)],
        "image": "https://example.com/face.png",
        "last_used_timezone": "Europe/Zurich" if place % 3 else None,
        "email_verified_at": text_of(start + 61_000) if place % 4 else None,
        "organizations": [source.organization_id],
        "date_created": text_of(start),
        "date_updated": text_of(start + place * DAY + 7_000),
    }
    return record | ({"google_profile_image_url": None} if place % 2 else {})


def _membership(source: OrganizationIds, user: Record, *, active: bool) -> Record:
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


def _role(source: OrganizationIds, number: str, name: str, date: str, *, editable: bool) -> Record:
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
