"""The small lists around selling: templates, accounts, sequences, views, phones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import DAY, SECOND, bare, text_of

if TYPE_CHECKING:
    from sandbox.close.source import Source
    from sandbox.exchange import Record

BULK_KINDS = ("email", "edit", "delete", "sequence_subscription")


def dated(source: Source, place: int, *, zone: bool = True, people: bool = True) -> Record:
    """Make what most records of small lists have: organization, dates, people."""
    moment = (source.shape.now - 86_400 * (700 - 3 * place)) * SECOND + 184_401 * (not zone) + 12_000 * zone
    write = text_of if zone else bare
    record: Record = {
        "organization_id": source.organization_id,
        "date_created": write(moment),
        "date_updated": write(moment + place * DAY),
    }
    if people:
        record |= {"created_by": source.user(), "updated_by": source.maybe(0.8, source.user_ids)}
    return record


def templates(source: Source) -> dict[str, list[Record]]:
    """Make templates of emails and SMS, and integration links."""
    count = source.shape.small_lists
    texts: Record = {"is_shared": True, "attachments": []}
    return {
        "email_templates": [
            {"id": source.long("tmpl"), "name": f"Vorlage {n}", "subject": "Hi {{ name }} 👋", "body": "<p>ä</p>"}
            | texts
            | {"is_archived": n % 3 == 2}  # noqa: PLR2004
            | dated(source, n)
            for n in range(count)
        ],
        "sms_templates": [
            {"id": source.short("smstmpl"), "name": f"SMS {n}", "text": "Hola ☀️"}
            | texts
            | ({"status": "active"} if n % 2 else {})
            | dated(source, n)
            for n in range(count)
        ],
        "integration_links": [
            {"id": source.short("link"), "name": f"Link {n}", "url": "https://example.com/?q={{ name }}"}
            | {"type": ("lead", "contact", "opportunity")[n % 3]}
            | dated(source, n)
            for n in range(count)
        ],
    }


def accounts(source: Source) -> dict[str, list[Record]]:
    """Make connected accounts and who may send as whom."""
    empty: Record = dict.fromkeys(
        (
            *("default_identity", "imap", "smtp", "send_status", "receive_status", "email_receive_status"),
            *("calendar_receive_status", "latest_send_error", "latest_receive_error", "lead_suggestions_updated_at"),
        )
    )
    host = {"host": "mail.example.com", "port": 993, "use_ssl": True, "username": "x", "date_updated": None}
    connected = []
    for n in range(source.shape.small_lists):
        kind = ("google", "custom_email", "zoom")[n % 3]
        record: Record = empty | {
            "id": source.long("emailacct"),
            "_type": kind,
            "email": source.one(source.mails),
            "user_id": source.user(),
            "organization_id": source.organization_id,
            "identities": [{"name": "Björk", "email": "b@example.com"}],
            "enabled_features": ["email_sending"],
            "available_features": ["email_sending", "calendar_syncing"],
            "receive_attempts_count": n,
            "is_imap_archive_sync_enabled": False,
            "date_created": text_of((source.shape.now - n * 86_400) * SECOND),
        }
        if kind == "custom_email":
            record |= {"imap": host, "smtp": {**host, "port": 465}}
        extra: Record = {"zoom_account_plan": None} if kind == "zoom" else {"synced_calendars": []}
        connected.append(record | extra)
    pairs = list(zip(source.user_ids, source.user_ids[1:], strict=False))[: source.shape.small_lists]
    send_as = [
        {"id": source.long("sendas"), "allowing_user_id": one, "allowed_user_id": other} | _maybe_dated(source, n)
        for n, (one, other) in enumerate(pairs)
    ]
    return {"connected_accounts": connected, "send_as": send_as}


def sequences(source: Source) -> dict[str, list[Record]]:
    """Make sequences and their subscriptions."""
    made = [_sequence(source, n) for n in range(source.shape.sequences)]
    subscriptions = []
    for n in range(source.shape.sequence_subscriptions if made and source.ids["contacts"] else 0):
        contact_id = source.one(source.ids["contacts"])
        subscriptions.append(
            {
                "id": source.short("sub"),
                "sequence_id": source.one(made)["id"],
                "contact_id": contact_id,
                "lead_id": source.contact_leads[source.places["contacts"][contact_id]],
                "contact_email": source.maybe(0.9, source.mails),
                "status": source.one(["active", "paused", "finished", "goal", "error"]),
                "status_reason": source.maybe(0.2, ["manual"]),
                "start_date": None,
                "sender_account_id": None,
                "sender_name": "Zoë",
                "sender_email": ADMIN,
                "calls_assigned_to": [source.user()] if n % 2 else None,
            }
            | _by_ids(source, n)
        )
    return {"sequences": made, "sequence_subscriptions": subscriptions}


def bulk_actions(source: Source) -> list[Record]:
    """Make bulk actions of every kind."""
    made = []
    for kind in BULK_KINDS:
        for n in range(source.shape.small_lists):
            record: Record = {
                "id": source.long("bulkemail" if kind == "email" else f"bulk{kind.partition('_')[0]}"),
                "kind": kind,
                "n_leads": n,
                "n_leads_processed": n,
                "n_objects": source.maybe(0.8, [5]),
                "n_objects_processed": 5,
                "query": None,
                "results_limit": None,
                "s_query": {"type": "match_all"},
                "send_done_email": False,
                "sort": [],
                "status": source.one(["created", "processing", "done", "paused", "error"]),
            } | dated(source, n)
            made.append(record | _BULK[kind])
    return made


def _sequence(source: Source, place: int) -> Record:
    steps = [
        {"id": source.short("seqstep"), "step_type": sort, "delay": 86_400 * n, "required": True}
        | {"email_template_id": None, "sms_template_id": None, "step_allowed_delay": None, "threading": None}
        | {key: value for key, value in _by_ids(source, n).items() if key != "organization_id"}
        for n, sort in enumerate(("email", "call", "sms")[: place % 4])
    ]
    return {
        "id": source.short("seq"),
        "name": f"Séquence {place}",
        "status": ("active", "paused", "draft")[place % 3],
        "timezone": source.maybe(0.5, ["Europe/Paris"]),
        "schedule": {"ranges": [{"weekday": 1, "start": "09:00", "end": "17:00"}]} if place % 2 else None,
        "steps": steps,
    } | _by_ids(source, place)


def _by_ids(source: Source, place: int) -> Record:
    people = {"created_by_id": source.user(), "updated_by_id": source.user()}
    return dated(source, place, zone=False, people=False) | people


def _maybe_dated(source: Source, place: int) -> Record:
    found = dated(source, place, people=False)
    return found if place % 2 else {"organization_id": source.organization_id}


ADMIN = "admin@example.com"
_SENDER = {"sender_account_id": None, "sender_name": None, "sender_email": ADMIN}
_BULK: dict[str, Record] = {
    "email": {"contact_preference": "lead", "email_account_id": None, "sender": ADMIN, "template_id": None},
    "edit": {"type": "set_lead_status", "custom_field_name": None, "custom_field_value": None, "lead_status_id": None},
    "delete": {"bulk_object_type": "lead"},
    "sequence_subscription": _SENDER
    | {"action_type": "subscribe", "sequence_id": None, "calls_assigned_to": None, "from_phone_number_id": None},
}
