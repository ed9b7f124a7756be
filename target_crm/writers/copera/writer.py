"""Writes to Copera: rows of any table, and comments on rows; one request each, since Copera has none in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.providers import PROVIDERS
from target_crm.contract import CREATE, DELETE, Columns, NotTaken
from target_crm.writers.common import check_needed
from target_crm.writers.copera.columns import columns
from target_crm.writers.copera.comments import Comments
from target_crm.writers.copera.objects import COMMENTS, Objects
from target_crm.writers.copera.reading import Rows, text_fields
from target_crm.writers.copera.requests import Requests
from target_crm.writers.copera.tables import Tables
from target_crm.writers.definitions import Definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence

    from tap_crm.transport.session import Transport
    from target_crm.config.settings import StreamSettings, TargetSettings
    from target_crm.contract import Answer, Field, Id, ObjectSpec, Snapshot, Write
    from target_crm.writers.copera.whole import Shown


class CoperaWriter:
    """See :class:`target_crm.contract.Writer`.

    Args:
        definitions: the workspace's.
    """

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._objects = Objects()
        self._tables = Tables(definitions, self._objects.places)
        self._rows = Rows(definitions.ask, self._tables, definitions, self.columns)
        self._requests = Requests(definitions.ask, self._rows, self.columns)
        self._comments = Comments(definitions.ask, self._rows, definitions)

    def names(self) -> Sequence[str]:
        """Return the name that no table has; those of tables only the workspace tells."""
        return [COMMENTS]

    def spec(self, stream: str, settings: StreamSettings) -> ObjectSpec:
        """Return the object that a stream is written to; whether there is such a table is seen by :meth:`columns`."""
        return self._objects.spec(stream, settings)

    def probe(self) -> None:
        """Ask for the boards."""
        self._tables.probe()

    def accounts(self) -> Sequence[str]:
        """Return a mark of the workspace; none with an integration's key, which may not ask for it."""
        return self._definitions.accounts()

    def place(self, spec: ObjectSpec) -> str:
        """Return the id of the table: no other one has it, in whatever workspace."""
        return COMMENTS if spec.name == COMMENTS else "/".join(self._rows.place(spec))

    def columns(self, spec: ObjectSpec) -> Columns:
        """Return the fields of a table.

        Raises:
            ConfigError: the token sees no such table.
        """
        if spec.name == COMMENTS:
            return Columns(spec.fields)
        make = lambda: columns(spec, self._tables.of(spec.name), self._tables.members, self._shown(spec))  # noqa: E731
        return self._definitions.once_per_run.get(("columns", spec.name), make)

    def _shown(self, spec: ObjectSpec) -> Callable[[str], Callable[[], Shown]]:
        return lambda column: lambda: self._rows.whole(spec).shown(column)

    def screen(self, spec: ObjectSpec, wanted: MutableMapping[Field, Any]) -> None:
        """Note which long texts are to be compared, and where a comment is."""
        if spec.name == COMMENTS:
            self._comments.remember(wanted)
        else:
            self._rows.texts[spec.name] = self._rows.texts.get(spec.name, set()) | text_fields(wanted)

    def check(self, spec: ObjectSpec, write: Write, said: Mapping[Field, Any]) -> None:  # noqa: ARG002
        """Check what a new record needs."""
        if spec.name == COMMENTS:
            check_needed(write, "a new comment", ("row", "content"))

    def find(
        self,
        spec: ObjectSpec,
        fields: Sequence[Field],
        wanted: Sequence[tuple[Any, ...]],
        since: float | None = None,
        said: Sequence[Mapping[Field, Any]] = (),
    ) -> Sequence[Sequence[Snapshot]]:
        """Return for each tuple of values the records that have them."""
        if spec.name == COMMENTS:
            return self._comments.find(fields, wanted, said)
        return self._rows.find(spec, fields, wanted, since)

    def read(self, spec: ObjectSpec, ids: Sequence[Id], since: Mapping[Id, float]) -> Mapping[Id, Snapshot]:
        """Return the records with these ids as they are now."""
        if spec.name == COMMENTS:
            return self._comments.read(ids)
        return self._rows.read(spec, ids, since)

    def leads_to(self, spec: ObjectSpec, field: Field) -> str | None:
        """Return the table to which a column's links lead: that of a row to which it links already."""
        if spec.name == COMMENTS or field.custom is None:
            return None
        return self._definitions.once_per_run.get(
            ("leads to", spec.name, field.custom), lambda: self._leads_to(spec, str(field.custom))
        )

    def _leads_to(self, spec: ObjectSpec, column: str) -> str | None:
        linked = self._rows.whole(spec).linked(column)
        try:
            table = None if linked is None else self._rows.table_of_row(linked, (None, None))
        except errors.Refused:
            table = None
        return None if table is None else self._tables.name_of(table)

    def send(self, spec: ObjectSpec, writes: Sequence[Write]) -> Sequence[Answer]:
        """Send writes of one action."""
        return [self._send(spec, write) for write in writes]

    def _send(self, spec: ObjectSpec, write: Write) -> Answer:
        if spec.name == COMMENTS:
            return self._comments.create(write) if write.action == CREATE else NotTaken("comments cannot be changed")
        send = {CREATE: self._requests.create, DELETE: self._requests.delete}
        return send.get(write.action, self._requests.update)(spec, write)


def make_copera_writer(settings: TargetSettings, transport: Callable[[], Transport]) -> CoperaWriter:
    """Return what writes to Copera; nothing is asked."""
    definitions = Definitions(PROVIDERS["copera"], settings.connection, transport)
    return CoperaWriter(definitions)
