"""A stream whose columns may have other names in the target than in the catalog: those whose type has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_crm.shaping.retyped import renamed, told_names, type_of
from tap_crm.singer.catalog_checks import rename_fields
from tap_crm.singer.sdk_internals import SdkStream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from singer_sdk.singerlib import CatalogEntry

    from tap_crm.sync.state import StreamState


class ToldStream(SdkStream):
    """A stream that knows which types its columns had in earlier runs.

    Attributes:
        told_names: the names in the target by those in the catalog; only those that differ.
    """

    told_names: Mapping[str, str] = {}

    @property
    @override
    def schema(self) -> dict[str, Any]:
        """The stream's own schema, under the names that the target is told."""
        own: dict[str, Any] = super().schema
        return {**own, "properties": renamed(own["properties"], self.told_names)} if self.told_names else own

    def made_by_account(self, properties: Mapping[str, Any]) -> Collection[str]:
        """Return the properties whose type the account decides; the types of the others never change."""
        raise NotImplementedError

    @property
    def kept_under(self) -> str:
        """The stream under whose name the state has what is kept of it."""
        return self.name

    @property
    def mark_in_types(self) -> str:
        """What stands before the names of its columns in the state."""
        return ""

    def follow_types(self, kept: StreamState, entry: CatalogEntry | None = None) -> None:
        """Take another name for each column that the target knows with another type.

        Args:
            kept: what the state has of the stream, or of its parent.
            entry: the catalog's, changed in place; None where the run has no catalog of the stream.
        """
        properties = super().schema["properties"] if entry is None else entry.schema.to_dict().get("properties") or {}
        self.told_names = told_names(properties, self.made_by_account(properties), self.types_in(kept))
        if entry is not None:
            rename_fields(entry, self.told_names)

    def types_in(self, kept: StreamState) -> dict[str, str]:
        """Return the types of all columns of the stream that were ever told, by name."""
        mark = self.mark_in_types
        known = (kept.column_types or {}).items()
        return {name.removeprefix(mark): kind for name, kind in known if name.startswith(mark)}

    def note_types(self, kept: StreamState, told: Collection[str]) -> bool:
        """Keep the types of the columns that a run tells of; tell whether there is something new.

        Args:
            kept: what the state has of the stream, or of its parent; changed in place.
            told: the names of the columns.
        """
        properties = self.effective_schema["properties"]
        found = {
            f"{self.mark_in_types}{name}": type_of(properties[name])
            for name in self.made_by_account(properties)
            if name in told
        }
        known = kept.column_types or {}
        if found.items() <= known.items():
            return False
        kept.column_types = {**known, **found}
        return True
