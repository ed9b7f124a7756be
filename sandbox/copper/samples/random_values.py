"""Random values of records, out of pools that are encoded once."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import msgspec

from sandbox import sample_texts
from sandbox.copper.custom_fields import definitions, value_sources
from sandbox.copper.samples import lists
from sandbox.random_choices import RandomChoices

if TYPE_CHECKING:
    from sandbox.copper.shape import Shape
    from sandbox.exchange import Record
    from sandbox.random_choices import Pool

Raw = msgspec.Raw


@dataclass(slots=True, frozen=True)
class Ids:
    """The ids that an object's generated records have; people and leads share theirs."""

    first: int
    step: int
    count: int

    def at(self, place: int) -> int:
        """Give the id of the n-th record."""
        return self.first + place * self.step

    def all(self) -> list[int]:
        """Every id."""
        return [self.at(place) for place in range(self.count)]


def ids_of(shape: Shape) -> dict[str, Ids]:
    """Lay out the ids: unique only within an object; those of activities need 64 bits."""
    return {
        "people": Ids(62_648_050, 3, shape.people),
        "leads": Ids(62_648_050, 3, shape.leads),
        "companies": Ids(9_607_579, 2, shape.companies),
        "opportunities": Ids(2_827_690, 7, shape.opportunities),
        "projects": Ids(101_000, 1, shape.projects),
        "tasks": Ids(3_716_920, 5, shape.tasks),
        "activities": Ids(5_020_000_001, 2, shape.activities),
    }


class RandomValues(RandomChoices):
    """The pools of one account, and the random numbers that choose from them."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(Random(shape.seed))
        self.shape = shape
        self.ids = ids_of(shape)
        # Numbers of their own, so that everything else is the same whatever the number of custom fields.
        fields = Random(shape.seed + 4)
        self.definitions = definitions(shape.custom_fields, fields)
        self.lists = lists.small_lists(shape, self.rng)
        self.unsampled: set[int] = set()
        """Definitions of which no record that is made has a value."""
        self.targets = [self.ids[name].all()[:500] for name in ("companies", "people")]
        self.renew_values(fields)
        self.user_ids: list[int] = [user["id"] for user in self.lists["users"]]
        self.pipelines: list[Record] = self.lists["pipelines"]
        self.tag_names = tag_names(shape.tags)
        self._fill()

    def company_name(self, place: int) -> str:
        """Give the name of the n-th company, the same each time."""
        first = sample_texts.COMPANY_WORDS[place * 7 % len(sample_texts.COMPANY_WORDS)]
        end = sample_texts.COMPANY_ENDINGS[place * 3 % len(sample_texts.COMPANY_ENDINGS)]
        return f"{first} {place} {end}".rstrip()

    def any_id(self, name: str) -> int | None:
        """Choose the id of a generated record, if the object has any."""
        ids = self.ids[name]
        return ids.at(int(self.random() * ids.count)) if ids.count else None

    def renew_values(self, rng: Random) -> None:
        """Prepare values of the present definitions for the records that are made from now on."""
        companies, people = self.targets
        sampled = [one for one in self.definitions if one["id"] not in self.unsampled]
        self.custom = value_sources(sampled, companies, people, rng)

    def _fill(self) -> None:
        rng = self.rng
        self.addresses: Pool = [Raw(msgspec.json.encode(_address(rng))) for _ in range(300)]
        self.phones: Pool = [Raw(msgspec.json.encode(_phones(rng))) for _ in range(300)]
        self.socials: Pool = [Raw(msgspec.json.encode(_socials(rng))) for _ in range(100)]
        self.websites: Pool = [Raw(msgspec.json.encode(_websites(rng))) for _ in range(100)]
        self.tags: Pool = [
            Raw(msgspec.json.encode(rng.sample(self.tag_names, min(len(self.tag_names), size))))
            for size in (0, 0, 0, 1, 1, 2, 3, 5)
            for _ in range(60)
        ]
        self.details: Pool = [Raw(msgspec.json.encode(text)) for text in sample_texts.DETAILS]
        self.notes: Pool = [Raw(msgspec.json.encode(text)) for text in sample_texts.NOTES]


def tag_names(count: int) -> list[str]:
    """Give that many tags."""
    plain = sample_texts.TAG_WORDS
    return [plain[n] if n < len(plain) else f"{plain[n % len(plain)]} {n}" for n in range(count)]


def _address(rng: Random) -> Record | None:
    draw = rng.random()
    if draw < 0.15:  # noqa: PLR2004
        return None
    if draw < 0.25:  # noqa: PLR2004
        return dict.fromkeys(("street", "city", "state", "postal_code", "country"))
    city, state, postal_code, country = rng.choice(sample_texts.CITIES)
    street = rng.choice(sample_texts.STREETS)
    return {"street": street, "city": city, "state": state, "postal_code": postal_code, "country": country}


def _phones(rng: Random) -> list[Record]:
    categories = ("mobile", "work", "home", "other", None)
    return [
        {
            "number": f"+{rng.randint(1, 99)} ({rng.randint(10, 999)}) 555-{n:04d}",
            "category": rng.choice(categories),
        }
        for n in range(rng.choice((0, 1, 1, 2, 3)))
    ]


def _socials(rng: Random) -> list[Record]:
    return [
        {
            "url": f"https://social.example/{rng.randint(1, 9999)}",
            "category": rng.choice(sample_texts.SOCIAL_CATEGORIES),
        }
        for _ in range(rng.choice((0, 0, 1, 2)))
    ]


def _websites(rng: Random) -> list[Record]:
    return [
        {
            "url": f"http://{rng.choice(sample_texts.DOMAINS)}",
            "category": rng.choice(("work", "personal", "other", None)),
        }
        for _ in range(rng.choice((0, 0, 1, 2)))
    ]
