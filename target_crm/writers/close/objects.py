"""The writable objects of Close, as data (developer.close.com: the pages of each resource)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_crm.shaping.schema import DELETED_AT, load_schema
from target_crm.contract import CREATE, DELETE, Field, ObjectSpec
from target_crm.kinds.contact_points import Entries, are_same_phones, same_mail, same_phone, same_url
from target_crm.kinds.html_text import Html
from target_crm.kinds.options import Choice
from target_crm.kinds.plain import Boolean, Number, Text, Word
from target_crm.kinds.times import Day, Moment
from target_crm.writers.close.kinds import (
    Addresses,
    ByAnotherStream,
    DayOrMoment,
    Link,
    Mail,
    NamedOption,
    Phone,
    SecureUrl,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_crm.kinds.base import Kind
    from target_crm.writers.definitions import Definitions

#: How the ids of records begin (developer.close.com: samples of each resource).
PREFIXES = {"leads": "lead_", "contacts": "cont_", "opportunities": "oppo_", "custom_objects": "custobj_"}
#: Ids and values that one search takes; it gives 200 objects a page.
SEARCHED_AT_ONCE = 100
#: Ids in one address: Close advises against more than 2,000 characters (developer.close.com: filter parameters).
LISTED_AT_ONCE = 40
#: Records that are looked up together where the CRM has no filter by ids.
READ_AT_ONCE = 400
UNSUBSCRIBED = "unsubscribed_emails"
COMMENTS = "comments"
TASK_TYPES = ("lead", "outgoing_call")
CALL_STATUSES = ("created", "in-progress", "completed", "cancel", "no-answer", "busy", "failed", "timeout")
#: On which object a comment is, by the types of the event log.
COMMENTED = {
    "activity.note": "notes",
    "activity.call": "calls",
    "activity.custom_activity": "custom_activities",
    "opportunity": "opportunities",
}
#: What a record says for this target, and Close takes no such field.
NOT_SENT = frozenset({"object_type"})
#: Streams of the tap that are not written, and why.
NOT_WRITTEN = {
    "emails": "Close would send it as mail",
    "sms": "Close would send it",
    "whatsapp_messages": "Close only mirrors them",
    "sequence_subscriptions": "it would start to send mail",
    "meetings": "Close does not let one make them",
    "bulk_actions": "they change what a later search finds, without an account of each record",
}
_TEXT = Text()
_MOMENT = Moment()


@dataclass(frozen=True, slots=True)
class Resource:
    """Where the records of an object are, and how they are told of.

    Attributes:
        path: of the resource, with slashes at its ends.
        events: the types of its objects in the event log.
        searched: its type in searches, "" where the documentation names none.
        by_ids: whether its list takes ``id__in``.
        by_lead: whether its list takes ``lead_id``.
        params: what its list needs to show all.
    """

    path: str
    events: tuple[str, ...] = ()
    searched: str = ""
    by_ids: bool = False
    by_lead: bool = True
    params: Mapping[str, str] = field(default_factory=dict)


RESOURCES: Mapping[str, Resource] = {
    "leads": Resource("/lead/", ("lead",), "lead", by_lead=False),
    "contacts": Resource("/contact/", ("contact",), "contact"),
    "opportunities": Resource("/opportunity/", ("opportunity",)),
    "custom_objects": Resource("/custom_object/", ("custom_object",)),
    "tasks": Resource("/task/", ("task.lead", "task.outgoing_call"), by_ids=True, params={"_type": "all"}),
    "notes": Resource("/activity/note/", ("activity.note",), by_ids=True),
    "calls": Resource("/activity/call/", ("activity.call",), by_ids=True),
    "custom_activities": Resource("/activity/custom/", ("activity.custom_activity",), by_ids=True),
    COMMENTS: Resource("/comment/", ("comment",), by_lead=False),
    UNSUBSCRIBED: Resource("/unsubscribe/email/", ("unsubscribed_email",), by_lead=False),
}


class Objects:
    """The objects, with the account's definitions behind labels.

    Args:
        definitions: the account's.
    """

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        made = (
            self._leads(),
            self._contacts(),
            self._opportunities(),
            self._custom_objects(),
            self._tasks(),
            self._notes(),
            self._calls(),
            self._custom_activities(),
            _comments(),
            _unsubscribed_emails(),
        )
        self.specs: Mapping[str, ObjectSpec] = {spec.name: spec for spec in made}

    def option(self, what: str, stream: str, prefix: str, *labels: str, within: str = "") -> NamedOption:
        """Return a kind of values that are ids of one of the tap's streams."""
        choices = self._definitions.choices(stream, *(labels or ("name",)), within=within)
        return NamedOption(what, choices, whole_ids=False, prefix=prefix)

    def user(self) -> NamedOption:
        """Return the kind of values that are users; their names are those that the tap shows."""
        return NamedOption("user", self._users, whole_ids=False, prefix="user_")

    def _users(self) -> Sequence[Choice]:
        def read() -> Sequence[Choice]:
            return [
                Choice(one["id"], tuple(label for label in (_full_name(one), one.get("email")) if label))
                for one in self._definitions.records("users")
            ]

        return self._definitions.once_per_run.get(("choices", "users by their names"), read)

    def _leads(self) -> ObjectSpec:
        kinds: dict[str, Kind] = {
            "name": _TEXT,
            "description": _TEXT,
            "url": _TEXT,
            "status_id": self.option("lead status", "lead_statuses", "stat_", "label"),
            "addresses": Addresses(),
            # On an update Close leaves them as they are (developer.close.com: leads).
            "contacts": ByAnotherStream("contacts"),
            "opportunities": ByAnotherStream("opportunities"),
            "tasks": ByAnotherStream("tasks"),
        }
        return _spec("leads", 1, kinds, [_label("status_label", "status_id")], at_once=SEARCHED_AT_ONCE)

    def _contacts(self) -> ObjectSpec:
        kinds: dict[str, Kind] = {
            "name": _TEXT,
            "title": _TEXT,
            "emails": Entries("email", same_mail, "office", category="type"),
            "phones": Entries("phone", same_phone, "office", category="type", are_same=are_same_phones),
            "urls": Entries("url", same_url, "url", category="type"),
        }
        return _spec("contacts", 2, kinds, [_lead(once=True)], at_once=SEARCHED_AT_ONCE)

    def _opportunities(self) -> ObjectSpec:
        status = self.option("opportunity status", "opportunity_statuses", "stat_", "label", within="pipeline_id")
        kinds: dict[str, Kind] = {
            "contact_id": _contact(),
            "user_id": self.user(),
            "pipeline_id": self.option("pipeline", "pipelines", "pipe_"),
            "value": Number(whole=True, of="cents"),
            "value_period": Word(("one_time", "monthly", "annual")),
            "confidence": Number(whole=True, of="percent"),
            "date_won": Day(),
            "note": _TEXT,
            "note_html": Html(),
        }
        more = [
            _lead(once=True),
            Field("status_id", status, within="pipeline_id"),
            _label("user_name", "user_id"),
            _label("status_label", "status_id"),
            _label("pipeline_name", "pipeline_id"),
            _imported(),
        ]
        return _spec("opportunities", 3, kinds, more)

    def _custom_objects(self) -> ObjectSpec:
        kind = self.option("custom object type", "custom_object_types", "cotype_")
        more = [_lead(once=True), Field("custom_object_type_id", kind, once=True)]
        return _spec("custom_objects", 4, {"name": _TEXT}, more)

    def _tasks(self) -> ObjectSpec:
        kinds: dict[str, Kind] = {
            "contact_id": _contact(),
            "assigned_to": self.user(),
            "text": _TEXT,
            "date": DayOrMoment(),
            "is_complete": Boolean(unset_is_false=True),
            "resolution": _TEXT,
        }
        # Tasks of other types are Close's own; what they are is looked at before any is written.
        more = [_lead(), _label("assigned_to_name", "assigned_to"), Field("_type", _TEXT, once=True)]
        return _spec("tasks", 5, kinds, more, at_once=LISTED_AT_ONCE)

    def _activity(self, **kinds: Kind) -> dict[str, Kind]:
        return {"contact_id": _contact(), "activity_at": _MOMENT, **kinds}

    def _notes(self) -> ObjectSpec:
        kinds = self._activity(note=_TEXT, note_html=Html(), title=_TEXT, pinned=Boolean(unset_is_false=True))
        more = [_lead(once=True), Field("user_id", self.user(), once=True), _label("user_name", "user_id"), _imported()]
        return _spec("notes", 6, kinds, more, at_once=LISTED_AT_ONCE)

    def _calls(self) -> ObjectSpec:
        kinds = self._activity(
            user_id=self.user(),
            note=_TEXT,
            note_html=Html(),
            status=Word(CALL_STATUSES),
            duration=Number(whole=True, of="seconds"),
            phone=Phone(),
            outcome_id=self.option("outcome", "outcomes", "outcome_"),
            playbook_id=self.option("playbook", "playbooks", "playbook_"),
            recording_url=SecureUrl(),
            voicemail_url=SecureUrl(),
        )
        direction = Field("direction", Word(("inbound", "outbound")), once=True)
        more = [_lead(), direction, _label("user_name", "user_id"), _imported()]
        return _spec("calls", 7, kinds, more, at_once=LISTED_AT_ONCE)

    def _custom_activities(self) -> ObjectSpec:
        kinds = self._activity(status=Word(("draft", "published")), pinned=Boolean(unset_is_false=True))
        kind = self.option("custom activity type", "custom_activity_types", "actitype_")
        more = [
            _lead(once=True),
            Field("custom_activity_type_id", kind, once=True),
            Field("user_id", self.user(), once=True),
            _label("user_name", "user_id"),
            _imported(),
        ]
        return _spec("custom_activities", 8, kinds, more, at_once=LISTED_AT_ONCE)


def _comments() -> ObjectSpec:
    about = Field("object_id", Link("", whole_ids=False), only_new=True, typed_by=("object_type", COMMENTED))
    more = [about, Field("object_type", Word(tuple(COMMENTED)), only_new=True)]
    return _spec(COMMENTS, 9, {"body": _TEXT}, more, changed="updated_at", takes_external_id=False, finders=frozenset())


def _unsubscribed_emails() -> ObjectSpec:
    return ObjectSpec(
        UNSUBSCRIBED,
        {
            "email": Field("email", Mail(), once=True),
            **{name: Field(name) for name in ("organization_id", "date_created", "reason", "id")},
        },
        key="email",
        order=10,
        actions=frozenset({CREATE, DELETE}),
        unique=frozenset({"email"}),
        takes_external_id=False,
        at_once=READ_AT_ONCE,
    )


def _full_name(user: Mapping[str, Any]) -> str:
    return " ".join(str(user[part]) for part in ("first_name", "last_name") if user.get(part))


def _lead(*, once: bool = False) -> Field:
    return Field("lead_id", Link("leads", whole_ids=False, prefix=PREFIXES["leads"]), once=once)


def _contact() -> Link:
    return Link("contacts", whole_ids=False, prefix=PREFIXES["contacts"])


def _label(name: str, of: str) -> Field:
    return Field(name, _TEXT, label_of=of)


def _imported() -> Field:
    """Return the time of creation, which Close lets one say of what happened elsewhere (developer.close.com: notes)."""
    return Field("date_created", _MOMENT, only_new=True)


def _spec(  # noqa: PLR0913 - as data
    name: str,
    order: int,
    kinds: Mapping[str, Kind],
    more: Iterable[Field] = (),
    *,
    changed: str = "date_updated",
    at_once: int = READ_AT_ONCE,
    takes_external_id: bool = True,
    finders: frozenset[str] | None = None,
) -> ObjectSpec:
    """Return an object with its writable fields, and those that the tap shows and Close does not let one write."""
    read_only = {part: Field(part) for part in load_schema("close", name)["properties"] if part != DELETED_AT}
    read_only.pop("custom_fields", None)
    fields = {part: Field(part, kind) for part, kind in kinds.items()} | {one.name: one for one in more}
    return ObjectSpec(
        name,
        {**read_only, **fields},
        order=order,
        changed=changed,
        at_once=at_once,
        takes_external_id=takes_external_id,
        finders=finders,
    )
