"""The other small lists: views, phones, dialers, outcomes, forms, links, comments, webhooks, exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close import tools
from sandbox.close.moments import SECOND, text_of
from sandbox.close.tools import dated

if TYPE_CHECKING:
    from sandbox.close.source import Source
    from sandbox.exchange import Record

_VIEWS = ("lead", "contact", "lead", "opportunity", "email", "note", "call")


def small_lists(source: Source) -> dict[str, list[Record]]:
    """Make every list that is no table."""
    return {
        **source.people,
        **source.statuses,
        "custom_fields": source.custom.definitions,
        **_types(source),
        **tools.templates(source),
        **tools.accounts(source),
        **tools.sequences(source),
        "bulk_actions": tools.bulk_actions(source),
        **_views_and_phones(source),
        **_guides(source),
        "dialers": _dialers(source),
        **_links(source),
        **_comments(source),
        **_plumbing(source),
    }


def _types(source: Source) -> dict[str, list[Record]]:
    def made(numbers: list[str], kind: str, name: str) -> list[Record]:
        return [
            {
                "id": number,
                "name": f"{name} {n}",
                "description": source.maybe(0.5, ["Für Ämter"]),
                "api_create_only": False,
                "editable_with_roles": [],
                "fields": source.custom.short(kind, number),
            }
            | dated(source, n, zone=False)
            for n, number in enumerate(numbers)
        ]

    custom = source.custom
    activity_types = made(custom.activity_type_ids, "activity", "Begehung")
    activity_types[-1]["is_archived"] = True
    object_types = made(custom.object_type_ids, "custom_object_type", "Maschine")
    for one in object_types:
        one |= {"name_plural": "Maschinen", "back_reference_fields": []}
    objects = []
    for n, number in enumerate(custom.object_ids if source.ids["leads"] else []):
        type_id = source.one(custom.object_type_ids)
        record = {
            "id": number,
            "custom_object_type_id": type_id,
            "lead_id": source.one(source.ids["leads"]),
            "name": f"Press №{n}",
        }
        objects.append(record | dated(source, n) | custom.draw("custom_object_type", type_id))
    return {"custom_activity_types": activity_types, "custom_object_types": object_types, "custom_objects": objects}


def _views_and_phones(source: Source) -> dict[str, list[Record]]:
    count = source.shape.small_lists
    views = []
    for n in range(count + len(_VIEWS)):
        kind = _VIEWS[n % len(_VIEWS)]
        record = {
            "id": source.long("save"),
            "name": f"View {n}",
            "description": source.maybe(0.3, ["Nur warme"]),
            "type": kind,
            "query": None,
            "s_query": {"query": {"type": "match_all"}} if n % 2 else None,
            "is_shared": n % 2 == 0,
            "is_user_dependent": source.maybe(0.7, [True, False]),
            "user_id": source.maybe(0.8, source.user_ids),
        } | dated(source, n, people=False)
        views.append(record | ({"selected_fields": [{"field": "name"}], "shared_with": []} if n % 3 else {}))
    numbers = [
        {
            "id": source.long("phon"),
            "number": f"+1650555{n:04d}",
            "number_formatted": f"+1 650-555-{n:04d}",
            "label": "Büro",
            "user_id": source.maybe(0.7, source.user_ids),
            "type": ("internal", "external", "virtual")[n % 3],
            "carrier": source.maybe(0.8, ["twilio", "plivo"]),
            "carrier_type": source.maybe(0.8, ["local", "mobile"]),
            "country": "US",
            "is_group_number": n % 2 == 1,
            "last_billed_price": source.maybe(0.8, [1, 1.15]),
            "next_billing_on": None,
            "address_id": None,
            "bundle_id": None,
            "supports_mms_to_countries": ["US"],
            "supports_sms_to_countries": ["US", "CA"],
        }
        | dict.fromkeys(("is_premium", "is_verified", "mms_enabled", "sms_enabled"), False)
        | dated(source, n, people=False)
        | ({"forward_to": None, "participants": [source.user()], "was_ported": False} if n % 2 else {})
        for n in range(count)
    ]
    blocked = [
        {"id": source.short("blck"), "phone": source.one(source.numbers), "reason": "spam 🚫"} | dated(source, n)
        for n in range(count)
    ]
    return {"smart_views": views, "phone_numbers": numbers, "blocked_phone_numbers": blocked}


def _guides(source: Source) -> dict[str, list[Record]]:
    count = source.shape.small_lists
    outcomes = [
        {"id": source.short("outcome"), "name": f"Résultat {n}", "description": None, "type": "custom"}
        | {"applies_to": ["calls", "meetings"][: 1 + n % 2]}
        | dated(source, n)
        for n in range(count)
    ]
    playbooks = []
    for n in range(count):
        dates = dated(source, n, people=False)
        playbooks.append(
            {
                "id": source.short("playbook"),
                "name": f"Leitfaden {n}",
                "description": source.maybe(0.5, ["…"]),
                "archived_at": dates["date_updated"] if n % 3 == 1 else None,
                "archived_by_id": source.user() if n % 3 == 1 else None,
                "created_at": dates["date_created"],
                "created_by_id": source.user(),
                "updated_at": dates["date_updated"],
                "updated_by_id": source.user(),
                "custom_field_ids": [],
                "outcome_ids": [outcomes[0]["id"]],
                "position": n if n % 2 else None,
                "summary_guidance": None,
                "organization_id": source.organization_id,
            }
        )
    fields = [{"id": "field_1", "name": "Größe", "type": "choices", "choices": [{"label": "S", "value": "s"}]}]
    forms = [
        {"id": number, "name": f"Form {n}", "is_archived": n % 3 == 2, "field_definitions": fields}  # noqa: PLR2004
        | dated(source, n, people=False)
        for n, number in enumerate(source.form_ids)
    ]
    return {"outcomes": outcomes, "playbooks": playbooks, "forms": forms}


def _dialers(source: Source) -> list[Record]:
    return [
        {
            "id": source.short("dial"),
            "type": ("power", "predictive")[n % 2],
            "status": ("active", "ended")[n % 2],
            "source_type": "saved-search",
            "source_value": source.long("save"),
            "user_id": source.user(),
            "users": [{"user_id": source.user(), "state": "idle", "is_active": False}],
            "caller_id": "+16505550100",
            "ring_mode": "ring_all",
            "music_preference": "default",
            "is_user_dependent": False,
        }
        | dated(source, n, zone=False, people=False)
        | ({"target_type": "contact"} if n % 2 else {})
        for n in range(source.shape.small_lists)
    ]


def _links(source: Source) -> dict[str, list[Record]]:
    def made(kind: str) -> list[Record]:
        return [
            {
                "id": source.short("schlnk"),
                "name": f"Termin {n}",
                "description": None,
                "url": source.maybe(0.8, source.urls),
                "duration_in_minutes": source.maybe(0.8, [15, 30]),
                "source": "close",
                "source_id": None,
                "source_type": None,
                "template_tag": None,
                "type": kind,
                "user_id": source.user() if kind == "USER" else None,
                "organization_id": source.organization_id,
            }
            for n in range(source.shape.small_lists)
        ]

    return {"scheduling_links": made("USER"), "shared_scheduling_links": made("SHARED")}


def _comments(source: Source) -> dict[str, list[Record]]:
    notes = source.ids["notes"]
    threads: list[Record] = []
    comments: list[Record] = []
    for n in range(source.shape.comments):
        if n % 3 == 0:
            lead_id = source.maybe(0.9, source.ids["leads"])
            number = notes[len(threads) % len(notes)] if notes else source.long("acti")
            threads.append({"id": source.short("comthr"), "object_type": "activity.note", "object_id": number})
            threads[-1] |= {"lead_id": lead_id, "num_comments": 0, "participating": [source.user()]}
            threads[-1] |= _at(source, n) | {"organization_id": source.organization_id}
        thread = threads[-1]
        thread["num_comments"] += 1
        removed = n % 5 == 4  # noqa: PLR2004
        comments.append(
            {
                "id": source.short("comm"),
                "thread_id": thread["id"],
                "lead_id": thread["lead_id"],
                "body": "" if removed else "Schön 👍\nZeile 2",
                "mentions": [],
                "created_by": source.user(),
                "updated_by": source.user(),
                "removed_at": _at(source, n)["updated_at"] if removed else None,
                "removed_by": source.user() if removed else None,
                "organization_id": source.organization_id,
            }
            | _at(source, n)
        )
    return {"comment_threads": threads, "comments": comments}


def _plumbing(source: Source) -> dict[str, list[Record]]:
    count = source.shape.small_lists
    webhooks = [
        {
            "id": source.short("whsub"),
            "url": f"https://example.com/hook/{n}",
            "status": ("active", "paused")[n % 2],
            "events": [{"object_type": "lead", "action": "updated"}],
            "verify_ssl": True,
            "pause_reason": source.maybe(0.3, ["failing"]),
            "signature_key": f"{n:064x}",
        }
        | dated(source, n, zone=False)
        for n in range(count)
    ]
    exports = [
        {
            "id": source.long("expo"),
            "type": ("leads", "contacts", "lead_opps")[n % 3],
            "format": "json",
            "status": ("done", "error")[n % 2],
            "fields": ["id"],
            "s_query": None,
            "sort": [],
            "results_limit": None,
            "n_docs": source.maybe(0.8, [7]),
            "n_docs_processed": 7,
            "download_url": None,
            "send_done_email": False,
        }
        | dated(source, n)
        for n in range(count)
    ]
    unsubscribed = [
        {"email": f"gone{n}@bücher.example", "organization_id": source.organization_id}
        | {"date_created": dated(source, n)["date_created"], "reason": None}
        for n in range(count)
    ]
    return {"webhooks": webhooks, "exports": exports, "unsubscribed_emails": unsubscribed}


def _at(source: Source, place: int) -> Record:
    moment = (source.shape.now - 86_400 * (90 - place % 80)) * SECOND
    return {"created_at": text_of(moment), "updated_at": text_of(moment + 5_000)}
