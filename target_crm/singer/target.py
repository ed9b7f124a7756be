"""The target: settings, signals, states and the exit code."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities
from typing_extensions import override

from tap_crm import errors
from tap_crm.config.config_input import ENVIRONMENT, converted, from_files, unknown_names
from tap_crm.config.redaction import redact_logs
from tap_crm.config.setting import secrets_in
from tap_crm.contract.connection import connect
from tap_crm.contract.signals import Signals, Terminated, ending
from tap_crm.providers import PROVIDERS
from target_crm.clock import Clock, CrmClock
from target_crm.config.schema import target_schema
from target_crm.config.settings import TargetSettings
from target_crm.journal.belonging import Belonging
from target_crm.journal.journal import Journal
from target_crm.journal.place import JournalLost
from target_crm.report import Report
from target_crm.singer.reader import MessageReader
from target_crm.singer.sdk_internals import SdkTarget
from target_crm.singer.sink import CrmSink
from target_crm.sync.engine import Engine
from target_crm.sync.states import States
from target_crm.writers import make_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import click

    from tap_crm.transport.session import Transport
    from target_crm.contract import Writer

#: Streams that tell of runs, and that no CRM has.
NOT_FOR_A_CRM = ("sync_audit", "writes")
SDK_SETTINGS = "a setting of stream maps has a form that the Singer SDK does not take; see the SDK's documentation"
INTERRUPTED = "a signal ended the run before its turn"


class TargetCRM(SdkTarget):
    """Writes records into a CRM: nothing doubled, lost or overwritten."""  # `--about` prints it

    name = "target-crm"
    package_name = "tap-crm"
    config_jsonschema: ClassVar[dict[str, Any]] = target_schema()  # the SDK adds its own settings to it
    default_sink_class = CrmSink
    clock = Clock()
    message_reader_class = MessageReader
    capabilities: ClassVar[list[Any]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(
        self,
        *,
        config: Any = None,  # noqa: ANN401 - as the SDK has it
        parse_env_config: bool = False,
        **others: Any,  # noqa: ANN401
    ) -> None:
        """Take the settings.

        Args:
            config: the settings, or the path of a file of them, or several.
            parse_env_config: whether the variables `TARGET_CRM_…` are settings, too.
            others: what the SDK's target takes.

        Raises:
            ConfigError: a setting cannot be used; the line says which one, and never shows a value.
        """
        self.run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        self.stopping = threading.Event()
        self._signals = Signals(self.stopping, self._settle, self.logger, "as soon as what was sent is settled")
        self._is_reading = False
        self._held = ExitStack()
        given = self.given(config, from_variables=parse_env_config)
        self.settings = TargetSettings.from_config(given, PROVIDERS)
        redact_logs([*self.settings.connection.secrets, *secrets_in(self.settings)])
        for remark in unknown_names(given, self.config_jsonschema):
            self.logger.warning("%s", remark)
        try:
            super().__init__(config=given, parse_env_config=False, **others)
        except ConfigValidationError:
            raise errors.ConfigError(SDK_SETTINGS) from None

    @classmethod
    def given(cls, config: Any, *, from_variables: bool) -> dict[str, Any]:  # noqa: ANN401
        """Return the settings in their declared types."""
        cls.append_builtin_config(cls.config_jsonschema)
        given: dict[str, Any] = {}
        for part in config if isinstance(config, (list, tuple)) else [config or {}]:
            given |= part if isinstance(part, dict) else from_files([str(part)])
        if from_variables:
            given |= cls.given_by_variables()
        return converted(given, cls.config_jsonschema)

    @override
    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the settings of the SDK that have an effect here: stream maps, and no batches or load methods."""
        super(Target, cls).append_builtin_config(config_jsonschema)

    # What everything shares

    @cached_property
    def transport(self) -> Transport:
        """The one way to the CRM."""
        return connect(self.settings.connection, PROVIDERS[self.settings.connection.provider], self.stopping)

    def make_writer(self) -> Writer:
        """Return what writes to the CRM.

        Raises:
            ConfigError: this CRM cannot be written yet.
        """
        return make_writer(self.settings, lambda: self.transport)

    @property
    def step(self) -> Callable[[str], None]:
        """Return what the journal calls before and after each transaction."""
        return lambda _: None

    @cached_property
    def engine(self) -> Engine:
        """The run: it begins when it is first needed."""
        settings = self.settings
        writer = self.make_writer()
        clock = CrmClock(self.clock, lambda: self.transport.clock.ahead)
        journal = Journal(settings.journal, dry=settings.dry_run, now=clock.now, step=self.step)
        self._held.callback(journal.close)
        Belonging(journal).check_provider(settings.connection.provider)
        report = Report(settings.report, journal)
        self._held.callback(report.close)
        if not settings.dry_run:
            report.mend()
        journal.begin_run(self.run_id, settings.connection.provider, report.path, report.size)
        self.journal = journal
        engine = Engine(
            writer=writer,
            settings=settings,
            journal=journal,
            report=report,
            states=States(self._pass_on),
            stopping=self.stopping,
            clock=clock,
        )
        self._held.callback(engine.close)
        return engine

    def _pass_on(self, state: Mapping[str, Any]) -> None:
        """Write a state, whose records are settled; in a dry run nothing is, so none is written."""
        if not self.settings.dry_run:
            sys.stdout.write(json.dumps(state) + "\n")
            sys.stdout.flush()

    # Messages

    @override
    def is_for_crm(self, stream: str) -> bool:
        return stream not in NOT_FOR_A_CRM

    @override
    def check_declared(self, stream: str) -> None:
        if stream not in self.mapper.stream_maps:
            raise errors.ConfigError(f"the input has a record of the stream `{stream}` before its SCHEMA")

    @override
    def take_state(self, value: Mapping[str, Any]) -> None:
        self.engine.state(value)

    @override
    def process_endofpipe(self) -> None:
        super().process_endofpipe()
        self.engine.finish()

    # The run

    def run(self, file_input: Any = None) -> None:  # noqa: ANN401 - a file of text or bytes
        """Read to the end, and write.

        Raises:
            CrmError: something was not written as it was meant; one line says what.
            Terminated: a signal ended the run.
        """
        end = "failed"
        try:
            _ = self.engine
            try:
                self.listen(file_input)
            except errors.Cancelled:
                self.engine.abandon(INTERRUPTED)
                end = "interrupted"
                self._signals.check_signals()
                raise Terminated(128 + signal.SIGTERM) from None  # `stopping` was set by whoever runs the target
            except JournalLost:  # nothing can be told any more; the journal has what was sent
                raise
            except errors.CrmError as error:
                self.engine.abandon(f"the run ended: {error}")
                raise
            finally:
                self.engine.tell()
            failures = self.engine.failures()
            if failures:
                raise errors.CrmError(f"not everything is written: {'; '.join(failures)}{self._where()}")
            end = "complete"
        finally:
            self.stopping.set()
            with self._held:
                if "engine" in self.__dict__:
                    self._finish(end)

    def _finish(self, end: str) -> None:
        failure = sys.exc_info()[1]
        if isinstance(failure, (errors.CrmError, Terminated, type(None))) and not isinstance(failure, JournalLost):
            self.journal.end_run(end)
        self._settle()

    def _settle(self) -> None:
        """Wait for a token that is being exchanged."""
        if "transport" in self.__dict__:
            self.transport.settle()

    def _where(self) -> str:
        told = f"; the report `{self.settings.report}` says why" if self.settings.report else ""
        return told or "; set `report`, or run `target-crm-journal rejects`, to see why"

    @override
    @classmethod
    def invoke(  # type: ignore[override] # as the SDK's own target does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: Any = None,
    ) -> None:
        """Write what comes in."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        target = cls(
            config=None if config is None else config.config,
            parse_env_config=config is not None and config.parse_env,
        )
        target.run(file_input)

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Return the settings of all files together."""
        sources = super().cb_config(ctx, param, tuple(path for path in value if path == ENVIRONMENT))
        sources.config.update(from_files(path for path in value if path != ENVIRONMENT))
        return sources

    # Signals

    @override
    def on_signal(self, number: int) -> None:
        """Leave a note, or end at once where no message is being worked on; a second signal ends the process."""
        self._signals.note(number, is_minded="engine" in self.__dict__)
        reader = self.message_reader
        if isinstance(reader, MessageReader) and reader.is_idle:
            raise errors.Cancelled


def given_by(configs: Sequence[str]) -> dict[str, Any]:
    """Return the settings of the files, and of the variables where `ENV` is among them, in their declared types.

    Raises:
        ConfigError: a file cannot be used.
    """
    files = [path for path in configs if path != ENVIRONMENT]
    return TargetCRM.given(files, from_variables=ENVIRONMENT in configs)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command ``target-crm``; a foreseeable failure is one line and exit code 1."""
    with ending(logging.getLogger(TargetCRM.name)):
        TargetCRM.cli(args=arguments)
