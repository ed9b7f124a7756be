"""The writable objects of Copper, as data (developer.copper.com: the overview and the operations of each)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_crm.shaping.schema import DELETED_AT, load_schema
from target_crm.contract import CREATE, DELETE, UPDATE, Field, ObjectSpec, Unwritable
from target_crm.kinds.base import Plain
from target_crm.kinds.contact_points import Address, Entries, OneEntry, are_same_phones, same_mail, same_phone, same_url
from target_crm.kinds.links import Reference, TypedReference, plain_id
from target_crm.kinds.options import Option, TextSet
from target_crm.kinds.plain import Number, Text, Word
from target_crm.kinds.times import EPOCH, SLASHED, Day, Moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_crm.kinds.base import Kind
    from target_crm.writers.definitions import Definitions

#: What Copper calls one record of an object, and the object.
OBJECTS = {
    "lead": "leads",
    "person": "people",
    "company": "companies",
    "opportunity": "opportunities",
    "project": "projects",
    "task": "tasks",
}
SINGULAR = {plural: singular for singular, plural in OBJECTS.items()}
#: Records of one bulk request (developer.copper.com: bulk-create-people; "BETA, size may change").
BULK = 10
#: Ids that one search takes: as many as a page has records.
IDS_AT_ONCE = 200
RELATED = "related_items"
_TEXT = Text()
_MOMENT = Moment(EPOCH)


@dataclass(frozen=True, slots=True)
class ActivityType(Plain):
    """``{"category": "user", "id": 0}``. Inside: a pair of category and id."""

    nested = True

    @override
    def read(self, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict) or value.get("category") not in ("user", "system"):
            raise Unwritable("must be an object with `category` (user) and `id`")
        key = plain_id(value.get("id"))
        if key is None:
            raise Unwritable("must be an object with `category` (user) and `id`")
        return value["category"], int(key)

    @override
    def write(self, value: Any) -> Any:
        return None if value is None else {"category": value[0], "id": value[1]}


class Objects:
    """The objects, with the account's definitions behind labels.

    Args:
        definitions: the account's.
        date_order: how the account writes dates that are text.
    """

    def __init__(self, definitions: Definitions, date_order: str) -> None:
        self._definitions = definitions
        self._date_order = date_order
        self.specs: Mapping[str, ObjectSpec] = {
            spec.name: spec
            for spec in (
                self._companies(),
                self._people(),
                self._leads(),
                self._opportunities(),
                self._projects(),
                self._tasks(),
                self._activities(),
                _related_items(),
            )
        }

    def _option(self, what: str, stream: str, *labels: str) -> Option:
        return Option(what, self._definitions.choices(stream, *(labels or ("name",))))

    def _common(self, **kinds: Kind) -> dict[str, Kind]:
        """Return what most objects have."""
        return {
            "name": _TEXT,
            "assignee_id": self._option("user", "users", "name", "email"),
            "details": _TEXT,
            "tags": TextSet(),
            **kinds,
        }

    def _contact(self, **kinds: Kind) -> dict[str, Kind]:
        """Return what people, companies and leads have."""
        return self._common(
            address=Address(("street", "city", "state", "postal_code", "country")),
            phone_numbers=Entries(
                "number", same_phone, "work", ("mobile", "work", "home", "other"), are_same=are_same_phones
            ),
            socials=Entries("url", same_url, "other"),
            websites=Entries("url", same_url, "work", ("work", "personal", "other")),
            **kinds,
        )

    @staticmethod
    def _named(**kinds: Kind) -> dict[str, Kind]:
        names = dict.fromkeys(("prefix", "first_name", "middle_name", "last_name", "suffix", "title"), _TEXT)
        return {**names, **kinds}

    def _people(self) -> ObjectSpec:
        kinds = self._contact(
            **self._named(),
            contact_type_id=self._option("contact type", "contact_types"),
            emails=Entries("email", same_mail, "work", ("work", "personal", "other")),
        )
        # On an update the field has no effect: relations are what counts (developer.copper.com: update-a-person).
        company = Field("company_id", Reference("companies"), by_relation=True)
        return _spec("people", 2, kinds, [company], bulk=(CREATE, UPDATE), unique=("emails",))

    def _companies(self) -> ObjectSpec:
        kinds = self._contact(
            contact_type_id=self._option("contact type", "contact_types"),
            email_domain=_TEXT,
        )
        return _spec("companies", 1, kinds, bulk=(CREATE, UPDATE), unique=("email_domain",))

    def _leads(self) -> ObjectSpec:
        kinds = self._contact(
            **self._named(),
            company_name=_TEXT,
            customer_source_id=self._option("customer source", "customer_sources"),
            email=OneEntry("email", same_mail, "work", ("work", "personal", "other")),
            monetary_unit=_TEXT,
            monetary_value=Number(),
            status_id=self._option("lead status", "lead_statuses"),
        )
        label = Field("status", _TEXT, label_of="status_id")
        return _spec("leads", 3, kinds, [label], bulk=(CREATE, UPDATE))

    def _opportunities(self) -> ObjectSpec:
        kinds = self._common(
            close_date=Day(SLASHED, self._date_order),
            customer_source_id=self._option("customer source", "customer_sources"),
            loss_reason_id=self._option("loss reason", "loss_reasons"),
            monetary_unit=_TEXT,
            monetary_value=Number(),
            pipeline_id=self._option("pipeline", "pipelines"),
            company_id=Reference("companies"),
            primary_contact_id=Reference("people"),
            priority=Word(("None", "Low", "Medium", "High")),
            status=Word(("Open", "Won", "Lost", "Abandoned")),
            win_probability=Number(whole=True),
        )
        stages = Option("pipeline stage", self._definitions.choices("pipeline_stages", "name", within="pipeline_id"))
        stage = Field("pipeline_stage_id", stages, within="pipeline_id")
        return _spec("opportunities", 4, kinds, [stage], bulk=(CREATE,))

    def _projects(self) -> ObjectSpec:
        kinds = self._common(
            related_resource=TypedReference({key: OBJECTS[key] for key in OBJECTS if key not in ("lead", "project")}),
            status=Word(("Open", "Completed")),
        )
        return _spec("projects", 5, kinds)

    def _tasks(self) -> ObjectSpec:
        kinds = self._common(
            related_resource=TypedReference({key: OBJECTS[key] for key in OBJECTS if key != "task"}),
            status=Word(("Open", "Completed")),
            priority=Word(("None", "High")),
            due_date=_MOMENT,
            reminder_date=_MOMENT,
            custom_activity_type_id=self._option("custom activity type", "custom_activity_types"),
        )
        return _spec("tasks", 6, kinds)

    @staticmethod
    def _activities() -> ObjectSpec:
        kinds: dict[str, Kind] = {"details": _TEXT, "activity_date": _MOMENT}
        once = [Field("parent", TypedReference(OBJECTS), once=True), Field("type", ActivityType(), once=True)]
        spec = _spec("activities", 7, kinds, once, bulk=(CREATE,), at_once=1)
        return replace(spec, takes_external_id=False, finders=frozenset())


def _related_items() -> ObjectSpec:
    """Return relations: no field of one can change, so it is there or not (developer.copper.com: related-items)."""
    kind = Word(tuple(OBJECTS))
    fields = {
        "parent_type": Field("parent_type", kind, once=True),
        "parent_id": Field("parent_id", Reference(""), once=True, typed_by=("parent_type", OBJECTS)),
        "type": Field("type", kind, once=True),
        "id": Field("id", Reference(""), once=True, typed_by=("type", OBJECTS)),
    }
    return ObjectSpec(
        RELATED,
        fields,
        order=8,
        actions=frozenset({CREATE, DELETE}),
        takes_external_id=False,
        composite=tuple(fields),
        at_once=1,
    )


def _spec(  # noqa: PLR0913 - as data
    name: str,
    order: int,
    kinds: Mapping[str, Kind],
    more: Iterable[Field] = (),
    *,
    bulk: Iterable[str] = (),
    unique: Iterable[str] = (),
    at_once: int = IDS_AT_ONCE,
) -> ObjectSpec:
    """Return an object with its writable fields, and those that the tap shows and Copper does not let one write."""
    read_only = {part: Field(part) for part in load_schema("copper", name)["properties"] if part != DELETED_AT}
    read_only.pop("custom_fields", None)
    fields = {part: Field(part, kind) for part, kind in kinds.items()} | {field.name: field for field in more}
    return ObjectSpec(
        name,
        {**read_only, **fields},
        order=order,
        changed="date_modified",
        bulk=dict.fromkeys(bulk, BULK),
        unique=frozenset(unique),
        at_once=at_once,
        whole_ids=True,
    )
