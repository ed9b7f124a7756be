"""The tap: settings, discovery, the order of the streams, signals and the exit code."""

from __future__ import annotations

import _thread
import math
import os
import signal
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk.singerlib import Catalog, StateMessage
from typing_extensions import override

from tap_crm import errors
from tap_crm.config.endpoints import check_methods, check_names
from tap_crm.config.meltano_select import is_deselected
from tap_crm.config.redaction import redact_logs
from tap_crm.config.schema import CONFIG
from tap_crm.config.select_rules import rules_that_fit_nothing, select_rules
from tap_crm.config.settings import Settings
from tap_crm.contract.once_per_run import Shared
from tap_crm.contract.stream import AUDIT, Reading
from tap_crm.ledger import Ledger
from tap_crm.providers import PROVIDERS
from tap_crm.providers.common.endpoints import declared_streams
from tap_crm.providers.connection import connect
from tap_crm.shaping.custom.columns import custom_columns, warn_of_changes
from tap_crm.shaping.schema import load_schema
from tap_crm.singer.audit_stream import AuditStream
from tap_crm.singer.catalog_checks import check_form
from tap_crm.singer.command_line import CommandLine, Terminated, run
from tap_crm.singer.mapping import Mapper
from tap_crm.singer.progress import SilentProgress, make_progress
from tap_crm.singer.sdk_settings import check_sdk_settings
from tap_crm.singer.stream import COLUMNS, CrmStream
from tap_crm.sync.account import account_of
from tap_crm.sync.given_state import was_loaded
from tap_crm.sync.input_checks import check_before_asking, checked_bookmarks, lost_right, lost_stream, plain_state
from tap_crm.sync.read_ahead import Feeds
from tap_crm.sync.stream_run import Budget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from singer_sdk import Stream

    from tap_crm.contract.stream import Provider, StreamSpec
    from tap_crm.transport.session import Transport

#: Discovery and connection tests are watched by people: they get an answer sooner than a nightly job.
RETRY_SECONDS_WHEN_WATCHED = 30.0
#: Assumed until the first answer, in seconds.
USUAL_LATENCY = 0.2
MOST_LANES, LANES_WITHOUT_LIMIT = 6, 2
PROBES_AT_ONCE = 4
#: The stream of definitions of custom fields, which every CRM has.
DEFINITIONS = "custom_fields"
NOTHING_SELECTED = "no stream is selected, so there is nothing to read; select some in the catalog (Meltano: `select`)"
NOTHING_READABLE = "no stream could be read; check `api_url` and the rights of the key's user"


class _NothingMoreToRead(BaseException):
    """The credentials were refused. No ``Exception``: the SDK would write that it did not expect it."""


class TapCRM(CommandLine):
    """Reads a CRM exactly: nothing lost, nothing hidden, only what changed."""

    name = "tap-crm"
    package_name = "tap-crm"
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(CONFIG)  # the SDK adds its own settings to it
    dynamic_catalog = True

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's own arguments
        self.run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        self.stopping = threading.Event()
        self.feeds = Feeds(self.stopping)
        self.shared = Shared()
        self._definitions_ledger = Ledger()
        if not isinstance(kwargs.get("state"), (str, Path)):  # the SDK reads a file
            kwargs["state"] = plain_state(kwargs.get("state"))
        self._given_state = kwargs.get("state")
        self.loaded_before: frozenset[str] = frozenset()
        self.account: str | None = None
        self.selected_told: tuple[tuple[StreamSpec, int | None], ...] = ()
        self.begun: list[CrmStream] = []
        self.failures: dict[str, str] = {}
        self.progress: SilentProgress = SilentProgress()
        self._refused: errors.CredentialsRefused | None = None
        self._signal: int | None = None
        self._isolates_failures = False
        if kwargs.get("catalog") is not None and not isinstance(kwargs["catalog"], Catalog):
            check_form(kwargs["catalog"])
        super().__init__(**kwargs)

    # What everything shares

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
    def transport(self) -> Transport:
        """The one way to the CRM."""
        return connect(self.settings, self.provider, self.stopping)

    @cached_property
    def reconcile_budget(self) -> Budget:
        """How many requests the reconciles of this run may use."""
        return Budget(self.settings.reconcile_max_requests)

    def lanes(self) -> int:
        """Return how many spans of a stream, walked at once, fill the rate limit at the latency seen so far."""
        interval = self.transport.pacing.interval
        if not interval:
            return LANES_WITHOUT_LIMIT
        needed = math.ceil((self.transport.latency or USUAL_LATENCY) / interval) + 1
        return max(2, min(MOST_LANES, needed))

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

    # Discovery

    def discover_streams(self) -> Sequence[Stream]:
        """Return every stream that the provider declares, with the account's custom fields, and the audit."""
        self.provider.authenticate(self.settings)
        self._warn_of_selection()
        check_methods(self.settings.endpoints, self.provider.endpoints.reads)
        own = [endpoint.stream for endpoint in self.settings.endpoints]
        check_before_asking(self.provider, self._given_state, self.input_catalog, own)
        streams = [*map(self._declared, self.provider.streams), *self._discover_more()]
        return [*streams, *self._endpoints({stream.name: stream.spec for stream in streams}), AuditStream(self)]

    def _warn_of_selection(self) -> None:
        """Say which names the user selects in Meltano that are not there: Meltano itself goes on without them."""
        if self.input_catalog is None:
            return
        known = [AUDIT, *(spec.name for spec in self.provider.streams)]
        for remark in rules_that_fit_nothing(select_rules(), known, self.input_catalog):
            self.logger.warning("%s", remark)

    def _declared(self, spec: StreamSpec) -> CrmStream:
        schema = load_schema(self.provider.name, spec.name)
        # What is asked for here is counted with the stream that has the definitions themselves.
        reading = self._reading_of_definitions(spec) if self._is_wanted(spec) else None
        custom = None if reading is None else custom_columns(spec, schema, self.settings, reading)
        stream = CrmStream(self, spec, schema, custom)
        if spec.name == DEFINITIONS:
            stream.ledger = self._definitions_ledger
        return stream

    def _is_wanted(self, spec: StreamSpec) -> bool:
        """Tell whether the stream may be read in this run: the definitions of others are not asked for."""
        if self.input_catalog is None:
            return True
        entry = self.input_catalog.get_stream(spec.name)
        return entry is not None and entry.metadata.resolve_selection()[()]

    def _reading_of_definitions(self, spec: StreamSpec) -> Reading:
        return Reading(
            spec=spec,
            transport=self.transport,
            settings=self.settings,
            since=None,
            emit=lambda _: None,
            ledger=self._definitions_ledger,
            lanes=self.lanes(),
            shared=self.shared,
        )

    def _discover_more(self) -> list[CrmStream]:
        """Return the streams that only the account itself tells of.

        Raises:
            ReadError: the account could not be read.
        """
        if self.provider.discover is None:
            return []
        reading = self._reading_of_definitions(self.provider.streams[0])
        return [CrmStream(self, spec, schema) for spec, schema in self.provider.discover(reading)]

    def _endpoints(self, others: Mapping[str, StreamSpec]) -> list[CrmStream]:
        """Return the streams that the user declared.

        Raises:
            ConfigError: a declaration cannot work.
        """
        endpoints = self.settings.endpoints
        check_names(endpoints, {*others, AUDIT})
        found = declared_streams(endpoints, self.provider.endpoints, others)
        return [CrmStream(self, spec, schema) for spec, schema in found]

    @property
    @override
    def readable(self) -> list[CrmStream]:
        """The streams that a test run reads: the audit has nothing to tell of it."""
        return [stream for stream in self.streams.values() if isinstance(stream, CrmStream)]

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of their declaration, the audit last."""
        known = super().streams
        order = [spec.name for spec in self.provider.streams if spec.name in known]
        others = sorted((name for name in known if name not in order), key=lambda name: (name == AUDIT, name))
        return {name: known[name] for name in [*order, *others]}

    def run_discovery(self) -> str:
        """Write the catalog of the streams that the key may read.

        Raises:
            ReadError: the credentials are refused or the CRM cannot be reached.
        """
        self._leave_out_unreadable()
        return super().run_discovery()

    def _leave_out_unreadable(self) -> None:
        """Ask every stream once; those that the CRM refuses to give are not offered."""
        self._hurry()
        self._definitions_are_known()
        first, *others = [stream for stream in self.streams.values() if isinstance(stream, CrmStream)]
        try:
            first.probe()  # alone: wrong credentials or a wrong address are said once, and no other stream is asked
        except errors.Forbidden as error:  # says nothing of the others
            self._leave_out(first, error)
        with ThreadPoolExecutor(PROBES_AT_ONCE) as pool:
            list(pool.map(self._probe, others))
        if not any(isinstance(stream, CrmStream) for stream in self.streams.values()):
            raise errors.ReadError(NOTHING_READABLE)

    def _definitions_are_known(self) -> None:
        """Raise what kept the definitions of custom fields from being read: a catalog without them would be wrong."""
        for stream in self.streams.values():
            custom = stream.custom if isinstance(stream, CrmStream) else None
            if custom is not None and custom.error is not None and not custom.is_forbidden:
                raise custom.error

    def _hurry(self) -> None:
        """Retry only for a short time: somebody is watching."""
        self.transport.retry_seconds = min(self.transport.retry_seconds, RETRY_SECONDS_WHEN_WATCHED)

    def _probe(self, stream: CrmStream) -> None:
        try:
            stream.probe()
        except errors.FinalWord as error:
            self._leave_out(stream, error)

    def _leave_out(self, stream: CrmStream, error: errors.FinalWord) -> None:
        if stream.spec.declared:  # it would vanish without a word: a run has to say so
            self.logger.warning("stream `%s`: %s", stream.name, error)
            return
        self.logger.warning("stream `%s` is left out of the catalog: %s", stream.name, error)
        Tap.streams.fget(self).pop(stream.name)  # type: ignore[attr-defined]

    # Input is checked before any request

    def check_input(self) -> None:
        """Raise a ``ConfigError`` if the catalog or the state cannot be used."""
        for name, entry in (self.input_catalog or {}).items():
            if name not in self.streams and entry.metadata.root.selected:
                self._miss(name)
        for name in sorted(self.loaded_before):
            self._check_offered(name)
        for stream in self.streams.values():
            if isinstance(stream, CrmStream):
                stream.starting_bookmark()

    def _check_offered(self, name: str) -> None:
        """Note that a stream which an earlier run loaded would not be read, though nobody deselected it."""
        catalog = self.input_catalog
        if name not in self.streams:
            if name not in self.failures:
                self.logger.warning("the state has the stream `%s`, which is not there any more; its rows stay", name)
        elif catalog is not None and catalog.get_stream(name) is None and not is_deselected(name, os.environ):
            self.failures[name] = lost_right(name)
            self.logger.error("%s", self.failures[name])

    def _miss(self, name: str) -> None:
        """Note that a selected stream is not there.

        Where the account makes the streams, one may have been renamed, deleted or hidden: the others are read.
        """
        self.failures[name] = lost_stream(name, self.provider)
        self.logger.error("%s: renamed, deleted, or hidden from this key; run discovery again", self.failures[name])

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state over.

        Raises:
            ConfigError: it has not the form of a Singer state.
        """
        bookmarks = checked_bookmarks(state)
        self.loaded_before = frozenset(name for name, kept in bookmarks.items() if was_loaded(kept))
        super().load_state(state)

    # The run

    def sync_all(self) -> None:  # type: ignore[misc] # the SDK marks it final; the exit code needs a place
        """Read every selected stream; one that fails does not stop the others.

        Raises:
            ConfigError: nothing is selected.
            OtherAccount: the state is of another account.
            ReadError: at least one stream is not complete; names them.
            Terminated: a signal ended the run.
        """
        self.check_input()
        selected = self._selected()
        self.account = account_of(self, selected)
        for stream in selected:
            stream.forget_future(self.transport.clock.server())
        self._warn_of_changed_columns(selected)
        self.selected_told = tuple((stream.spec, stream.told_to()) for stream in selected)
        self.feeds.plan({stream.name: stream.read for stream in selected})
        self.progress = make_progress(lambda: sum(stream.ledger.waited for stream in self.begun))
        self._isolates_failures = True
        try:
            super().sync_all()
        except _NothingMoreToRead:
            pass
        except Terminated:
            self.write_message(StateMessage(value=self.state))
            raise
        finally:
            self._isolates_failures = False
            self.stopping.set()
            self.transport.settle()
            self.shared.close()
            self.progress.close()
            self.writer.flush()
        self._conclude(selected)

    def _conclude(self, selected: Sequence[CrmStream]) -> None:
        """Raise a ``ReadError`` unless every selected stream is complete; its line is the last one of the log."""
        if self._refused is not None:
            missing = [stream.name for stream in selected if not stream.complete]
            raise errors.CredentialsRefused(
                f"{self._refused}. So the run ended: {len(missing)} of {len(selected)} streams are not complete; "
                "the state is safe"
            )
        if selected and not self.begun:
            raise errors.ReadError(NOTHING_READABLE)
        if self.failures:
            wanted = {*self.failures, *(stream.name for stream in selected)}
            others = "The others are; the state" if len(self.failures) < len(wanted) else "The state"
            raise errors.ReadError(
                f"{len(self.failures)} of {len(wanted)} streams are not complete: {', '.join(self.failures)}. "
                f"{others} is safe, and the next run goes on from it."
            )

    def _selected(self) -> list[CrmStream]:
        """Return the streams that this run reads.

        Raises:
            ConfigError: there is none.
        """
        chosen = [stream for stream in self.streams.values() if isinstance(stream, CrmStream) and stream.selected]
        for stream in chosen:
            if stream.is_mapped_away:  # what it reads would reach nobody, and its bookmark would pass it
                stream.selected = False
                self.logger.info("%s: not read, since `stream_maps` takes it out", stream.name)
        selected = [stream for stream in chosen if stream.selected]
        is_empty = self.input_catalog is not None and not self.input_catalog  # the SDK takes it for none
        if is_empty or not (selected or self.failures):
            raise errors.ConfigError(NOTHING_SELECTED)
        return selected

    def _warn_of_changed_columns(self, selected: Sequence[CrmStream]) -> None:
        """Say what changed of the custom fields since the last run, and since the catalog was made."""
        customs = {stream.name: stream.custom for stream in selected if stream.custom is not None}
        known = {stream.name: stream.effective_schema["properties"] for stream in selected}
        before = {name: entry.get(COLUMNS) for name, entry in self.state.get("bookmarks", {}).items()}
        warn_of_changes(customs, known, before)

    def begin(self, stream: CrmStream) -> None:
        """Note that a stream is being read."""
        if not self._isolates_failures:
            self._hurry()
        self.begun.append(stream)
        self.progress.begin(stream.name)

    def fail(self, stream: CrmStream, error: errors.ReadError) -> None:
        """Note that a stream failed; outside of a whole run, raise. Refused credentials end the run at once."""
        if not self._isolates_failures:
            raise error
        not_offered = isinstance(error, (errors.Forbidden, errors.NotThere))
        is_new = stream.name not in self.loaded_before and not stream.ledger.records
        if not_offered and self.input_catalog is None and is_new and not stream.spec.declared:
            self.logger.warning("stream `%s` is left out: %s", stream.name, error)
            self.begun.remove(stream)
            return
        self.failures[stream.name] = str(error)
        self.logger.error("stream `%s` is not complete: %s", stream.name, error)
        if isinstance(error, errors.CredentialsRefused):
            self._refused = error
            raise _NothingMoreToRead

    # Signals

    def glance(self) -> None:
        """End the run if a signal asked for it; called between pages and while waiting for one."""
        if self._signal is not None:
            raise Terminated(128 + self._signal)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Leave a note: the writer may be in the middle of a line. A second signal ends the process at once."""
        if self._signal is not None or not self._isolates_failures:
            self._leave(128 + signum)
            return
        self._signal = signum
        self.stopping.set()
        self.logger.warning("%s: ending after the present page", signal.Signals(signum).name)

    def _leave(self, code: int) -> None:
        """End the process as soon as no OAuth token is under way, which could not be had again."""
        transport = self.__dict__.get("transport")
        if transport is None:
            os._exit(code)

        def leave() -> None:
            transport.settle()
            os._exit(code)

        # The exchange may be this thread's own, so another one waits for it. Not `threading.Thread`: its start takes
        # a lock that this thread, which the signal interrupted, may hold.
        _thread.start_new_thread(leave, ())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command ``tap-crm``; a foreseeable failure is one line and exit code 1."""
    run(TapCRM, arguments)
