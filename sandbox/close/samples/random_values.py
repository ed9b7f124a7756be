"""Random ids and values of records, out of pools that are made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox import sample_texts
from sandbox.close.object_types import TABLES
from sandbox.close.samples import statuses, users
from sandbox.close.samples.random_ids import OrganizationIds

if TYPE_CHECKING:
    from random import Random

    from sandbox.close.shape import Shape
    from sandbox.exchange import Record
    from sandbox.random_choices import Pool

Raw = msgspec.Raw

_PREFIXES = {"leads": "lead", "contacts": "cont", "opportunities": "oppo", "tasks": "task"}


class RandomValues(OrganizationIds):
    """The pools of one organization, and the random numbers that choose from them."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.people = users.users_and_roles(self)
        self.all_users = self.people.pop("all_users")
        self.user_ids: list[str] = [one["id"] for one in self.people["users"]]
        self.names = {one["id"]: f"{one['first_name']} {one['last_name']}" for one in self.people["users"]}
        self.statuses = statuses.statuses(self)
        counts = {name: getattr(shape, name) for name in _PREFIXES} | shape.counts()
        self.ids = {name: [self.long(_PREFIXES.get(name, "acti")) for _ in range(counts[name])] for name in TABLES}
        self.places = {"contacts": {number: n for n, number in enumerate(self.ids["contacts"])}}
        self.contact_leads = self._contact_leads()
        self.form_ids = [self.short("form") for _ in range(max(1, shape.small_lists))]
        self._fill()

    def user(self) -> str:
        """Choose a member."""
        return self.user_ids[int(self.random() * len(self.user_ids))]

    def lead_and_contact(self) -> tuple[str | None, str | None]:
        """Choose a lead (some have much more than others) and maybe one of its contacts."""
        leads, contacts = self.ids["leads"], self.ids["contacts"]
        if contacts and self.chance(0.5):
            place = self.below(len(contacts))
            if self.contact_leads[place] is not None:
                return self.contact_leads[place], contacts[place]
        return (leads[int(self.random() ** 2 * len(leads))] if leads else None), None

    def named(self, record: Record, *keys: str) -> Record:
        """Add the names of users to a record, which some records lack."""
        if self.random() < 0.9:  # noqa: PLR2004
            for key in keys:
                record[f"{key.removesuffix('_id')}_name"] = self.names.get(record[key])
        return record

    def _contact_leads(self) -> list[str | None]:
        leads = self.ids["leads"]
        shape = self.shape
        return [
            leads[int(self.random() ** 1.3 * len(leads))]
            if leads and self.random() >= shape.leadless_contacts
            else None
            for _ in range(shape.contacts)
        ]

    def _fill(self) -> None:
        rng = self.rng
        self.first_names: Pool = list(sample_texts.FIRST_NAMES)
        self.last_names: Pool = list(sample_texts.LAST_NAMES)
        self.texts: Pool = [text for text in sample_texts.DETAILS if text is not None]
        self.notes: Pool = list(sample_texts.NOTES)
        self.titles: Pool = list(sample_texts.TITLES)
        self.deals: Pool = list(sample_texts.DEALS)
        self.jobs: Pool = list(sample_texts.TASKS)
        self.addresses: Pool = [_raw([_address(rng) for _ in range(rng.choice((0, 1, 1, 2)))]) for _ in range(200)]
        self.phones: Pool = [_raw([_phone(rng) for _ in range(rng.choice((0, 1, 1, 2)))]) for _ in range(200)]
        self.numbers: Pool = [f"+1650555{n:04d}" for n in range(300)]
        self.urls: Pool = [f"https://{name}/{n}" for n, name in enumerate(sample_texts.DOMAINS * 10)]
        self.mails: Pool = [f"m{n}@{name}" for n, name in enumerate(sample_texts.DOMAINS * 20)]
        self.bodies: Pool = [_raw(text * rng.randint(1, 4)) for text in (*self.texts, *self.notes)]
        self.html: Pool = [_raw(f"<body><p>{text}</p></body>") for text in self.notes]
        self.links: Pool = [_raw([]), _raw([{"name": "Google it", "url": "https://example.com/?q=söhne"}])]


def _raw(value: object) -> msgspec.Raw:
    return Raw(msgspec.json.encode(value))


def _address(rng: Random) -> Record:
    city, state, zipcode, country = rng.choice(sample_texts.CITIES)
    address: Record = {
        "label": rng.choice(("business", "mailing", "other")),
        "address_1": rng.choice(sample_texts.STREETS),
        "address_2": rng.choice((None, "", "3. Stock")),
        "city": city,
        "state": state,
        "zipcode": zipcode,
        "country": country,
    }
    return address | ({"tz_ids": ["Europe/Zurich"]} if rng.random() < 0.5 else {})  # noqa: PLR2004


def _phone(rng: Random) -> Record:
    number = f"+1650555{rng.randint(0, 9999):04d}"
    phone: Record = {"phone": number, "type": rng.choice(("office", "mobile", "home"))}
    if rng.random() < 0.8:  # noqa: PLR2004
        phone |= {"country": rng.choice(("US", None)), "phone_formatted": f"+1 650-555-{number[-4:]}"}
    return phone
