"""What the custom fields of a generated organization are called, and of what type each is."""

from __future__ import annotations

TYPES = (
    *("text", "textarea", "hidden", "url", "email", "number", "date", "datetime"),
    *("choices", "user", "contact", "custom_object"),
)
"""Every type that Close documents, and the older ones that organizations still have."""
MULTIPLE = ("choices", "user", "contact", "custom_object", "text", "url", "email")
"""Those of which a field may take several values."""
LONGEST = 200

_LONG = "Bitte vor jedem Anruf lesen: was der Kunde uns zuletzt über seinen Bedarf gesagt hat"


def _long(end: str) -> str:
    """Make a name of the greatest length; all agree in more than their first 80 letters."""
    return f"{_LONG} – {end} ".ljust(LONGEST, "…")  # noqa: RUF001


FIELDS = (
    ("Region", "choices", False),
    ("Größe (m²)", "number", False),
    ("Birthday 🎂", "date", False),
    ("Notes", "textarea", False),
    ("Owner", "user", False),
    ("顧客ランク", "choices", True),
    ("Next call", "datetime", False),
    ("Region", "text", False),
    ("Reports to", "contact", False),
    ("Secret", "hidden", False),
    ("Machine", "custom_object", False),
    ("date_updated", "text", False),
    ("Name", "text", False),
    ("Status Label", "choices", False),
    ("Fields", "text", True),
    ("🎉🦊", "email", False),
    (_long("Bestand"), "url", False),
    (_long("Neubau"), "email", True),
    ("Betreuer (intern)", "user", True),
    ("Référents", "contact", True),
    ("Machines", "custom_object", True),
    ("Web-Adressen", "url", True),
    ("  region  ", "textarea", False),
    ("№ 1 / «Süd»", "number", False),
)
"""Name, type and whether it takes several values, in the order in which organizations have them."""


def name_of(place: int, *, shared: bool = False) -> str:
    """Give the name of a definition; past the end of the list, names come again with a number."""
    name = FIELDS[place % len(FIELDS)][0]
    end = (" (shared)" if shared and place else "") + (f" {place}" if place >= len(FIELDS) else "")
    return name[: LONGEST - len(end)] + end
