"""Creates, changes and deletes custom objects (writing.md 2.1): 201 and 204."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.writes.fields import filled, own_organization, reference
from sandbox.close.writes.write import Body, Write, no_content

if TYPE_CHECKING:
    from sandbox.exchange import Answer

_NAME = "custom_objects"
_KIND = "custom_object_type"
_NEEDED = frozenset({"custom_object_type_id", "lead_id", "name"})
_NEW = Body(
    {
        "custom_object_type_id": reference("custom_object_types"),
        "lead_id": reference("leads"),
        "name": filled,
        "organization_id": own_organization,
    },
    _NEEDED,
    custom=_KIND,
)
_UPDATE = Body({"name": filled}, custom=_KIND)


def create(write: Write, _: tuple[str, ...]) -> Answer:
    """Create a custom object of a type, which belongs to a lead."""
    given = write.given(_NEW, parent=str(write.body().get("custom_object_type_id")))
    record = write.new(write.account.source.long("custobj"), {}) | given
    write.add(_NAME, record)
    return write.answer(_NAME, record["id"], 201)


def update(write: Write, parts: tuple[str, ...]) -> Answer:
    """Change the name and the custom fields of a custom object."""
    old = write.old(_NAME, parts[0])
    write.change(_NAME, old, write.given(_UPDATE, old, old["custom_object_type_id"]))
    return write.answer(_NAME, parts[0])


def delete(write: Write, parts: tuple[str, ...]) -> Answer:
    """Delete a custom object."""
    write.delete(_NAME, parts[0])
    return no_content()
