"""A stream of which the target may be told otherwise than the catalog: other names of columns, and text for objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_crm.shaping.free_objects import Texts, with_texts
from tap_crm.shaping.retyped import renamed, told_names, type_of
from tap_crm.singer.catalog_checks import declare_texts, rename_fields, restore_texts
from tap_crm.singer.sdk_internals import SdkStream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from singer_sdk.singerlib import CatalogEntry

    from tap_crm.config.settings import Settings
    from tap_crm.sync.state import StreamState


#: The value of ``nested_values`` that the state keeps; the other one is what it means to keep none.
NESTED_AS_TEXT = "text"


def texts_for(kept: StreamState, settings: Settings) -> Texts:
    """Return which objects and arrays of a stream are written as JSON text.

    A stream that was loaded keeps its form whatever the setting says now: no loader changes the type of a column.
    """
    form = kept.nested_values or ("typed" if kept.was_told else settings.nested_values)
    if form == NESTED_AS_TEXT:
        return Texts.NESTED
    return Texts.FREE if settings.free_objects == "text" else Texts.NONE


class ToldStream(SdkStream):
    """A stream that knows which types its columns had in earlier runs.

    Attributes:
        told_names: the names in the target by those in the catalog; only those that differ.
        texts: which objects and arrays are written as JSON text.
        account_column: the column with the account's id; None for none.
    """

    told_names: Mapping[str, str] = {}
    texts: Texts = Texts.NONE
    account_column: str | None = None

    @property
    @override
    def schema(self) -> dict[str, Any]:
        """The stream's own schema, as the target is told."""
        own: dict[str, Any] = super().schema
        if not self.told_names and self.texts is Texts.NONE:
            return own
        properties = self.own_properties
        return {**own, "properties": with_texts(properties, self.texts.among(properties))}

    @property
    def own_properties(self) -> dict[str, Any]:
        """The properties of the stream's own schema, under the names that the target is told."""
        return renamed(super().schema["properties"], self.told_names)

    @property
    def read_properties(self) -> dict[str, Any]:
        """The same, less the column that no record of the source has."""
        return {name: part for name, part in self.own_properties.items() if name != self.account_column}

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

    def follow_types(self, kept: StreamState, settings: Settings, entry: CatalogEntry | None = None) -> None:
        """Take the form of objects and arrays that the target knows, and other names for columns of another type.

        Args:
            kept: what the state has of the stream, or of its parent.
            settings: which of them become JSON text, where the target does not know the stream yet.
            entry: the catalog's, changed in place; None where the run has no catalog of the stream.
        """
        self.texts = texts_for(kept, settings)
        if entry is None:
            properties = with_texts(super().schema["properties"], self.texts.among(super().schema["properties"]))
        else:
            own = super().schema["properties"]
            restore_texts(entry, own, self.texts, free=settings.nested_values == NESTED_AS_TEXT)
            declare_texts(entry, self.texts)
            properties = entry.schema.to_dict().get("properties") or {}
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
        form = NESTED_AS_TEXT if self.texts is Texts.NESTED else None
        is_new = form != kept.nested_values
        kept.nested_values = form
        properties = self.effective_schema["properties"]
        found = {
            f"{self.mark_in_types}{name}": type_of(properties[name])
            for name in self.made_by_account(properties)
            if name in told
        }
        known = kept.column_types or {}
        if found.items() <= known.items():
            return is_new
        kept.column_types = {**known, **found}
        return True
