"""Which streams there are: those that the CRM declares, those of the account, those that the user declared."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.config.endpoints import check_names
from tap_crm.config.meltano_select import is_deselected, rules_that_fit_nothing, select_rules
from tap_crm.contract.stream import AUDIT, WRITES, Reading
from tap_crm.ledger import Ledger
from tap_crm.providers.common.endpoints import declared_streams
from tap_crm.shaping.child_tables import arrays_of, check_wishes, child_table, wished
from tap_crm.shaping.custom.columns import custom_columns
from tap_crm.shaping.schema import load_schema
from tap_crm.singer.catalog_checks import fields_of
from tap_crm.singer.child_stream import ChildStream
from tap_crm.singer.offered import selected_in
from tap_crm.singer.stream import CrmStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_crm.contract.stream import StreamSpec
    from tap_crm.shaping.custom.columns import CustomColumns
    from tap_crm.singer.command_line import CommandLine
    from tap_crm.singer.writes_stream import WritesStream
    from tap_crm.sync.run import Run

_log = logging.getLogger("tap-crm")

#: The stream of definitions of custom fields, which every CRM has.
DEFINITIONS = "custom_fields"
#: Lists of definitions that are asked for at once.
DEFINITIONS_AT_ONCE = 4
#: The streams that tell of no CRM.
OWN = (AUDIT, WRITES)
NEEDS_JOURNAL = f"the catalog selects the stream `{WRITES}`, which needs the setting `journal`; set it, or deselect it"


class Discovery:
    """Makes the streams of a tap.

    Args:
        tap: the tap that gets them.
        run: what they share.
        catalog_only: nothing is read after this: what a Meltano project leaves out costs no request.
    """

    def __init__(self, tap: CommandLine, run: Run, *, catalog_only: bool = False) -> None:
        self._tap, self._run, self._catalog_only = tap, run, catalog_only
        # What is asked for here is counted with the stream that has the definitions themselves.
        self._ledger = Ledger()

    def streams(self) -> list[CrmStream]:
        """Return every stream that the provider declares, with the account's custom fields, and the user's own.

        Raises:
            ConfigError: a declaration of the user's cannot work.
            ReadError: the account, which tells of streams, could not be read.
        """
        customs = self._customs()
        streams = [self._declared(spec, customs.get(spec.name)) for spec in self._run.provider.streams]
        streams += self._of_account()
        return [*streams, *self._endpoints({stream.name: stream.spec for stream in streams})]

    def writes(self) -> list[WritesStream]:
        """Return the stream of what `target-crm` has written, where the setting `journal` names its journal.

        Raises:
            ConfigError: there is no such journal, or the catalog selects the stream and nothing names one.
        """
        address = self._run.settings.journal
        if address is None:
            if WRITES in selected_in(self._tap.input_catalog):
                raise errors.ConfigError(
                    f"the catalog selects the stream `{WRITES}`, which needs the setting `journal`"
                )
            return []
        # Only here: SQLAlchemy takes a while to load.
        from tap_crm.journal.writes import WritesJournal  # noqa: PLC0415
        from tap_crm.singer.writes_stream import WritesStream  # noqa: PLC0415

        journal = WritesJournal(address, self._run.provider.name)
        journal.check()
        return [WritesStream(self._tap, self._run, journal)]

    def child_tables(self, streams: Sequence[CrmStream]) -> list[ChildStream]:
        """Return the streams that the setting ``child_tables`` makes of arrays of records, and join them to theirs.

        Raises:
            ConfigError: a name in the setting is none of an array, or a stream has the name already.
        """
        wishes = self._run.settings.child_tables
        if not wishes:
            return []
        offered = {stream.name: stream.schema["properties"] for stream in streams}
        self._check_wishes(wishes, offered)
        found = [child for stream in streams for child in self._children_of(stream, wishes)]
        for child in found:
            if child.name in offered or child.name in OWN:
                raise errors.ConfigError(
                    f"the setting `child_tables`: there is a stream `{child.name}` already; rename that one, or leave "
                    f"`{child.table.parent}.{child.table.array}` out"
                )
        return found

    def _check_wishes(self, wishes: Sequence[str], offered: Mapping[str, Mapping[str, Any]]) -> None:
        """Check the names; with a catalog, the definitions of streams that are not selected are not known."""
        try:
            check_wishes(wishes, offered)
        except errors.ConfigError as error:
            if self._tap.input_catalog is None:
                raise
            _log.warning("%s", error)

    def _children_of(self, stream: CrmStream, wishes: Sequence[str]) -> list[ChildStream]:
        properties = stream.schema["properties"]
        names = self._names_in_catalog(stream)
        found = []
        for array in arrays_of(properties):
            if not wished(stream.name, array, wishes):
                continue
            name = names.get(array, array)
            table = child_table(stream.name, stream.spec.primary_key, {**properties, name: properties[array]}, name)
            field = stream.custom.fields.get(array) if stream.custom is not None else None
            found.append(ChildStream(self._tap, self._run, stream, table, field))
        stream.child_streams.extend(found)
        return found

    def _names_in_catalog(self, stream: CrmStream) -> Mapping[str, str]:
        """Return what a catalog calls custom fields that were renamed since it was made."""
        entry = self._tap.input_catalog.get_stream(stream.name) if self._tap.input_catalog is not None else None
        if entry is None or stream.custom is None:
            return {}
        known = stream.custom.in_effect(entry.schema.to_dict().get("properties") or {})
        return {name: known[str(one.key)].name for name, one in stream.custom.fields.items() if str(one.key) in known}

    def warn_of_selection(self) -> None:
        """Say which names the user selects in Meltano that are not there: Meltano itself goes on without them."""
        catalog = self._tap.input_catalog
        if catalog is None:
            return
        known = [*OWN, *(spec.name for spec in self._run.provider.streams)]
        offered = {name: fields_of(entry) for name, entry in catalog.items()}
        for remark in rules_that_fit_nothing(select_rules(), known, offered):
            _log.warning("%s", remark)

    def _stream(self, spec: StreamSpec, schema: dict[str, Any]) -> CrmStream:
        return CrmStream(self._tap, self._run, spec, schema)

    def _customs(self) -> dict[str, CustomColumns | None]:
        """Return the custom fields of the streams that have some: nothing is read before they are known.

        So their definitions are asked for side by side.
        """
        provider, settings = self._run.provider, self._run.settings
        wanted = [spec for spec in provider.streams if spec.custom is not None and self._is_wanted(spec)]
        asked = [
            (spec, load_schema(provider.name, spec.name, provider.schemas), self._reading(spec)) for spec in wanted
        ]
        if not asked:
            return {}
        with ThreadPoolExecutor(min(len(asked), DEFINITIONS_AT_ONCE), thread_name_prefix="definitions") as pool:
            found = [pool.submit(custom_columns, spec, schema, settings, reading) for spec, schema, reading in asked]
            return {spec.name: one.result() for spec, one in zip(wanted, found, strict=True)}

    def _declared(self, spec: StreamSpec, custom: CustomColumns | None) -> CrmStream:
        if self._is_idle(spec):
            keys = filter(None, (*spec.primary_key, spec.replication_key))
            return CrmStream(self._tap, self._run, spec, {"type": "object", "properties": {name: {} for name in keys}})
        schema = load_schema(self._run.provider.name, spec.name, self._run.provider.schemas)
        stream = CrmStream(self._tap, self._run, spec, schema, custom)
        if spec.name == DEFINITIONS:
            stream.ledger = self._ledger
        return stream

    def _is_wanted(self, spec: StreamSpec) -> bool:
        """Tell whether the stream may be read in this run: the definitions of others are not asked for."""
        catalog = self._tap.input_catalog
        if catalog is None:
            # Arrays among custom fields may be tables of their own, which nobody knows before.
            return not (self._catalog_only and is_deselected(spec.name)) or bool(self._run.settings.child_tables)
        entry = catalog.get_stream(spec.name)
        if entry is not None and entry.metadata.resolve_selection()[()]:
            return True
        return any(name.startswith(f"{spec.name}__") for name in selected_in(catalog))

    def _is_idle(self, spec: StreamSpec) -> bool:
        """Tell whether nothing needs the schema of a stream that is not read: no map, and no name of an array."""
        asked = self._run.settings.child_tables or self._tap.config.get("stream_maps")
        return not asked and not self._is_wanted(spec)

    def _reading(self, spec: StreamSpec) -> Reading:
        return Reading(
            spec=spec,
            transport=self._run.transport,
            settings=self._run.settings,
            since=None,
            emit=lambda _: None,
            ledger=self._ledger,
            lanes=self._run.lanes(),
            once_per_run=self._run.once_per_run,
        )

    def _of_account(self) -> list[CrmStream]:
        """Return the streams that only the account itself tells of.

        Raises:
            ReadError: the account could not be read.
        """
        provider = self._run.provider
        if provider.discover is None:
            return []
        return [self._stream(spec, schema) for spec, schema in provider.discover(self._reading(provider.streams[0]))]

    def _endpoints(self, others: Mapping[str, StreamSpec]) -> list[CrmStream]:
        """Return the streams that the user declared.

        Raises:
            ConfigError: a declaration cannot work.
        """
        endpoints = self._run.settings.endpoints
        check_names(endpoints, {*others, *OWN})
        found = declared_streams(endpoints, self._run.provider.endpoints, others)
        return [self._stream(spec, schema) for spec, schema in found]
