"""The tap: settings, discovery, the order of the streams, and what a run ends with."""

from __future__ import annotations

import json
import os
import uuid
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.singerlib import Catalog, StateMessage
from typing_extensions import override

from tap_crm import errors
from tap_crm.config.endpoints import check_methods
from tap_crm.config.meltano_project import run_folder
from tap_crm.config.redaction import redact_logs
from tap_crm.config.schema import schema_of
from tap_crm.config.settings import Settings
from tap_crm.contract.signals import Terminated
from tap_crm.contract.stream import AUDIT, WRITES
from tap_crm.providers import PROVIDERS
from tap_crm.providers.setting_table import rows
from tap_crm.shaping.account_column import AccountColumn
from tap_crm.shaping.custom.columns import warn_of_changes
from tap_crm.shaping.free_objects import Texts
from tap_crm.shaping.retyped import moved
from tap_crm.singer.audit_stream import AuditStream
from tap_crm.singer.catalog_checks import check_form
from tap_crm.singer.command_line import CommandLine, run
from tap_crm.singer.discovery import Discovery
from tap_crm.singer.inbox import open_inbox
from tap_crm.singer.mapping import Mapper
from tap_crm.singer.offered import note_what_is_missing, selected_in
from tap_crm.singer.probing import unreadable
from tap_crm.singer.progress import SilentProgress, make_progress
from tap_crm.singer.readable import Readable
from tap_crm.singer.sdk_internals import SdkStream
from tap_crm.singer.sdk_settings import check_sdk_settings
from tap_crm.singer.stream import CrmStream
from tap_crm.singer.told_stream import NESTED_AS_TEXT
from tap_crm.singer.verdict_table import show
from tap_crm.sync.account import account_of
from tap_crm.sync.hints import hints_of
from tap_crm.sync.input_checks import check_before_asking
from tap_crm.sync.outlook import Outlook
from tap_crm.sync.run import Run
from tap_crm.sync.schema_owner import claim_schema
from tap_crm.sync.state import StreamState, plain_state, states_of
from tap_crm.sync.verdict import next_reconcile, verdict_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Stream

    from tap_crm.contract.stream import Provider
    from tap_crm.singer.writes_stream import WritesStream
    from tap_crm.sync.hints import Hints
    from tap_crm.sync.run import AuditedStream
    from tap_crm.sync.verdict import Verdict

NO_VERSIONS = (
    "`account_column`: no ACTIVATE_VERSION is sent, since it would mark the rows of other accounts; `tap-crm-audit "
    "--print-sql` prints statements that mark what is gone, account by account"
)
NOTHING_SELECTED = "no stream is selected, so there is nothing to read; select some in the catalog (Meltano: `select`)"


class TapCRM(CommandLine):
    """Reads a CRM exactly: nothing lost, nothing hidden, only what changed."""

    name = "tap-crm"
    package_name = "tap-crm"
    config_jsonschema: ClassVar[dict[str, Any]] = schema_of(rows())  # the SDK adds its own settings to it
    dynamic_catalog = True

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's own arguments
        if isinstance(kwargs.get("state"), (str, Path)):
            kwargs["state"] = json.loads(Path(kwargs["state"]).read_text("utf-8"))
        self._given_state = kwargs["state"] = plain_state(kwargs.get("state"))
        self._left: list[str] = []
        #: What became of the streams, after a run.
        self.verdict: Verdict | None = None
        if kwargs.get("catalog") is not None and not isinstance(kwargs["catalog"], Catalog):
            check_form(kwargs["catalog"])
        super().__init__(**kwargs)

    @cached_property
    def settings(self) -> Settings:
        """The user's settings, checked."""
        settings = Settings.from_config(self.config, PROVIDERS)
        redact_logs(settings.secrets)
        return settings

    @cached_property
    def provider(self) -> Provider:
        """The CRM that is read."""
        return PROVIDERS[self.settings.provider]

    @cached_property
    def run(self) -> Run:
        """What the streams share, and what becomes of them."""
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        made = Run(run_id, self.settings, self.provider, SilentProgress())
        made.offers_all = self.input_catalog is None
        return made

    @override
    def setup_mapper(self) -> None:
        """Make the stream maps.

        Raises:
            ConfigError: the settings of maps, flattening or batch files cannot be used.
        """
        for remark in check_sdk_settings(self.config):
            self.logger.warning("%s", remark)
        _ = self.streams  # they check the catalog, and let its fields be null
        self.mapper = Mapper(dict(self.config), self.logger)
        self.mapper.register_raw_streams_from_catalog(self.catalog)

    @cached_property
    @override
    def states_given(self) -> Mapping[str, StreamState]:
        """What the state that the run was given has of each stream."""
        return states_of(self._given_state or {})

    # Discovery

    @override
    def discover_streams(self) -> Sequence[Stream]:
        """Return every stream that there is, what `target-crm` has written, and the audit.

        Raises:
            ConfigError: the input cannot be used; nothing is asked before.
        """
        self.provider.authenticate(self.settings)
        discovery = Discovery(self, self.run, catalog_only=self.catalog_only)
        writes = discovery.writes()
        discovery.warn_of_selection()
        check_methods(self.settings.endpoints, self.provider.endpoints.reads)
        own = [*(endpoint.stream for endpoint in self.settings.endpoints), *(one.name for one in writes)]
        check_before_asking(
            self.provider,
            self._given_state,
            selected_in(self.input_catalog),
            own,
            account_column=self.settings.account_column,
        )
        streams = discovery.streams()
        made = [*streams, *discovery.child_tables(streams)]
        if self.input_catalog is None:
            for stream in made:
                kept = self.states_given.get(stream.kept_under, StreamState())
                stream.follow_types(kept, self.settings)
        return [*made, *writes, AuditStream(self, self.run)]

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """The streams: first those that a run left to the next, then in the order of declaration, last the audit.

        The CRM's log of changes comes after the others: it is kept in a file until all of it is read, and they need not
        wait for that. Right before the audit comes the journal, after what was written into the CRM.
        """
        known = super().streams
        declared = [spec.name for spec in self.provider.streams if spec.name in known]
        order = sorted(declared, key=lambda name: name == self.provider.change_log)
        others = sorted((name for name in known if name not in order), key=lambda name: (*_place(name), name))
        first = [name for name in self._left if name in known]
        return {name: known[name] for name in dict.fromkeys([*first, *order, *others])}

    @property
    @override
    def readable(self) -> list[CrmStream]:
        """The streams that are read from the CRM: the audit is none."""
        return [stream for stream in self.streams.values() if isinstance(stream, CrmStream)]

    @override
    def run_discovery(self) -> str:
        """Write the catalog of the streams that the key may read.

        Raises:
            ReadError: the credentials are refused or the CRM cannot be reached.
        """
        self.run.retry_briefly()
        known = Readable(run_folder(), self.settings)
        for stream in unreadable(self.readable, known):
            for one in (stream, *stream.child_streams):
                self.leave_out(one.name)
        return super().run_discovery()

    # Input is checked before any request

    def check_input(self) -> None:
        """Raise a ``ConfigError`` if the catalog or the state cannot be used."""
        note_what_is_missing(self.run, self.input_catalog, self.streams)
        for stream in self.readable:
            stream.starting_bookmark()

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state over.

        Raises:
            ConfigError: it has not the form of a Singer state.
        """
        known = states_of(state)
        self.run.loaded_before = frozenset(
            table for name, kept in known.items() if kept.was_loaded for table in kept.tables_written(name)
        )
        left = {name: kept.left_at for name, kept in known.items() if kept.left_at is not None}
        self._left = sorted(left, key=lambda name: left[name])
        super().load_state(state)

    # The account

    def find_account(self, selected: Sequence[CrmStream] = ()) -> None:
        """Find out which account is read.

        Args:
            selected: the streams that are read.

        Raises:
            OtherAccount: the state is of another one.
            ReadError: the setting `account_column` needs the account, and the CRM does not tell it.
        """
        run, column = self.run, self.settings.account_column
        marks = {one.account for one in states_of(self.state).values() if one.account is not None}
        found = account_of(run, selected or (self.readable if column is not None else ()), marks)
        run.account = None if found is None else found.mark
        if column is not None and found is not None:
            run.account_column = AccountColumn(column, found.id)
            self.logger.info("%s", NO_VERSIONS)

    @override  # type: ignore[misc] # the SDK marks it final; the account has to be known before
    def run_sync_dry_run(self, *args: Any, **kwargs: Any) -> bool:
        """Read a few records of each stream, as a test does."""
        if self.settings.account_column is not None:
            self.find_account()
        with closing(self.run):
            return super().run_sync_dry_run(*args, **kwargs)

    # The run

    @override  # type: ignore[misc] # the SDK marks it final; the exit code needs a place
    def sync_all(self) -> None:
        """Read every selected stream; one that fails does not stop the others.

        Raises:
            ConfigError: nothing is selected.
            OtherAccount: the state is of another account.
            ReadError: at least one stream is not complete; names them.
            Terminated: a signal ended the run.
        """
        self.check_input()
        selected = self._selected()
        run = self.run
        self.find_account(selected)
        if self.settings.account_column is None:
            claim_schema(run.account, self.provider.title)
        for stream in selected:
            stream.forget_future(run.transport.clock.server())
        run.hints = self._hints(selected)
        self._warn_of_changed_columns(selected)
        self._warn_of_kept_forms(selected)
        run.limit.count([stream.ledger for stream in selected])
        run.selected_told = tuple((stream.spec, stream.told_to()) for stream in selected)
        run.told_names = {stream.name: stream.told_names for stream in self.readable if stream.told_names}
        told = [*(one for read in selected for one in read.written), *self._writes_read()]
        outlook = Outlook(run, told)
        run.display = make_progress(outlook)
        with self._shown(selected, told, outlook):
            try:
                with run.going_on({stream.name: stream.read for stream in selected}):
                    self._sync_selected()
            finally:
                self.writer.flush()
        run.conclude(told)

    @contextmanager
    def _shown(self, selected: Sequence[CrmStream], told: Sequence[AuditedStream], outlook: Outlook) -> Iterator[None]:
        """Show in the end what became of the streams, whatever the end is."""
        try:
            yield
        except Terminated as end:
            self._show(selected, told, outlook)
            self.run.tell_stopped(int(end.code or 0), told)
            raise
        except BaseException:
            self._show(selected, told, outlook)
            raise
        self._show(selected, told, outlook)

    def _show(self, selected: Sequence[CrmStream], told: Sequence[AuditedStream], outlook: Outlook) -> None:
        reconcile = next_reconcile(self.run, selected, {stream.name: stream.kept for stream in selected})
        self.verdict = verdict_of(self.run, told, outlook.seconds, reconcile)
        show(self.verdict)

    def _hints(self, selected: Sequence[CrmStream]) -> Hints | None:
        """Return what waits in the inbox; None without one, or where it cannot be read: then all is polled."""
        address, rules = self.settings.inbox, self.provider.hints
        if address is None or rules is None:
            return None
        try:
            return hints_of(lambda: open_inbox(address), self.provider, selected, states_of(self.state))
        except errors.CrmError as error:
            text = f"events: everything is polled, and nothing is read at once: {error}"
            self.logger.warning("%s", text)
            for stream in selected:
                if stream.name in rules.streams:
                    stream.ledger.note(text)
            return None

    def _sync_selected(self) -> None:
        try:
            super().sync_all()
        except Terminated:
            self.write_message(StateMessage(value=self.state))
            raise
        except errors.TargetGone:
            self.writer.state_waits = False  # nobody is there to read it
            raise
        finally:  # the STATE that was put off, if none was written since
            if self.writer.state_waits:
                self.write_message(StateMessage(value=self.state))

    def _writes(self) -> list[SdkStream]:
        """Return the stream of what `target-crm` has written; none without the setting `journal`."""
        found = self.streams.get(WRITES)
        return [found] if isinstance(found, SdkStream) else []

    def _writes_read(self) -> list[WritesStream]:
        """Return the same, if this run reads it."""
        return [cast("WritesStream", one) for one in self._writes() if one.selected]

    def _selected(self) -> list[CrmStream]:
        """Return the streams that this run reads.

        Raises:
            ConfigError: there is none.
        """
        chosen = [stream for stream in self.readable if stream.is_read]
        writes = [stream for stream in self._writes() if stream.selected]
        for stream in [*(one for read in chosen for one in read.written), *writes]:
            if stream.is_mapped_away:  # what it reads would reach nobody, and its bookmark would pass it
                stream.selected = False
                self.logger.info("%s: not read, since `stream_maps` takes it out", stream.name)
        selected = [stream for stream in chosen if stream.is_read]
        is_empty = self.input_catalog is not None and not self.input_catalog  # the SDK takes it for none
        if is_empty or not (selected or self.run.failures or any(one.selected for one in writes)):
            raise errors.ConfigError(NOTHING_SELECTED)
        return selected

    def _warn_of_kept_forms(self, selected: Sequence[CrmStream]) -> None:
        """Say which streams keep a form of objects and arrays that is not the one of the setting."""
        wanted = self.settings.nested_values
        is_text = wanted == NESTED_AS_TEXT
        kept = sorted(stream.name for stream in selected if (stream.texts is Texts.NESTED) != is_text)
        if kept:
            self.logger.warning(
                "`nested_values` is `%s`, but %d streams (%s) were loaded in the other form and keep it, as columns "
                "keep their types; docs/loaders.md says how to move",
                wanted,
                len(kept),
                ", ".join(kept[:3]) + (", ..." if len(kept) > 3 else ""),  # noqa: PLR2004 - enough to know which
            )

    def _warn_of_changed_columns(self, selected: Sequence[CrmStream]) -> None:
        """Say what changed of the custom fields since the last run, and since the catalog was made."""
        customs = {stream.name: stream.custom for stream in selected if stream.custom is not None}
        known = {stream.name: stream.effective_schema["properties"] for stream in selected}
        before = states_of(self.state)
        names = {name: kept.columns for name, kept in before.items()}
        types = {name: kept.column_types or {} for name, kept in before.items()}
        warn_of_changes(customs, known, names, types)
        for stream in selected:
            told = [stream, *stream.child_tables] if stream.custom is None else stream.child_tables
            for one in told:
                for line in moved(one.told_names, one.types_in(before.get(stream.name, StreamState()))):
                    self.logger.warning("%s: %s", one.name, line)

    @override
    def on_signal(self, number: int) -> None:
        """Leave a note for the run; end the process at once where there is none."""
        if "run" not in self.__dict__:
            os._exit(128 + number)
        self.run.on_signal(number)


def _place(name: str) -> tuple[bool, bool]:
    return name == AUDIT, name == WRITES


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command ``tap-crm``; a foreseeable failure is one line and exit code 1, or 77 for refused credentials."""
    run(TapCRM, arguments)
