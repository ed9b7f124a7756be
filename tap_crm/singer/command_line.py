"""The command ``tap-crm``: takes config, catalog and state as people have them, and fails with one line."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import IO, TYPE_CHECKING, Any

from typing_extensions import override

from tap_crm import errors
from tap_crm.config.config_input import (
    ENVIRONMENT,
    converted,
    from_environment,
    from_files,
    unknown_names,
    without_effect,
)
from tap_crm.config.json_files import parse_json
from tap_crm.config.meltano_select import select_rules
from tap_crm.config.redaction import redact_logs
from tap_crm.config.schema import schema_of
from tap_crm.config.settings import Settings
from tap_crm.contract.signals import REFUSED, ending
from tap_crm.providers import PROVIDERS
from tap_crm.providers.setting_table import rows, secret_texts, unused_by
from tap_crm.singer.catalog_checks import without_idle
from tap_crm.singer.logs import settle_logs
from tap_crm.singer.sdk_internals import SdkTap
from tap_crm.singer.sdk_settings import check_by_schema
from tap_crm.singer.writer import LineWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import click
    from singer_sdk import Stream

    from tap_crm.sync.state import StreamState

SCHEMA_TEST, NO_TEST = "schema", "disabled"


class CommandLine(SdkTap):
    """A tap that is given its input by people, files and variables.

    Args:
        config: the settings, or the path of a file of them, or several.
        parse_env_config: take settings from variables, too; they go before the files.
        validate_config: check them.
        catalog_only: nothing is read after discovery.
        others: what the SDK's tap takes.

    Raises:
        ConfigError: a setting cannot be used; the line says which one, and never shows a value.
    """

    message_writer_class = LineWriter

    def __init__(
        self,
        *,
        config: Any = None,  # noqa: ANN401 - as the SDK has it
        parse_env_config: bool = False,
        validate_config: bool = True,
        catalog_only: bool = False,
        **others: Any,  # noqa: ANN401
    ) -> None:
        self.catalog_only = catalog_only
        given, remarks = self._given(config, from_variables=parse_env_config)
        redact_logs(secret_texts(given))
        self._warn(remarks)
        if validate_config:
            settings = Settings.from_config(given, PROVIDERS)
            check_by_schema(given, self.config_jsonschema)
            provider = PROVIDERS[settings.provider]
            self._warn(without_effect(given, self.config_jsonschema, unused_by(provider), provider.title))
        catalog = others.get("catalog")  # parsed JSON, a file, or the SDK's own `Catalog`, which is a dict, too
        if type(catalog) is dict and not given.get("stream_maps"):  # maps may be of any stream
            others["catalog"] = without_idle(catalog, fields=bool(select_rules()))
        super().__init__(config=given, parse_env_config=False, validate_config=validate_config, **others)

    def _warn(self, remarks: Iterable[str]) -> None:
        for remark in remarks:
            self.logger.warning("%s", remark)

    @classmethod
    def _given(cls, config: Any, *, from_variables: bool) -> tuple[dict[str, Any], list[str]]:  # noqa: ANN401
        """Return the settings in their declared types, and remarks on those that do not exist."""
        cls.config_jsonschema["properties"] |= schema_of(rows())["properties"]  # a CRM may be registered late
        cls.append_builtin_config(cls.config_jsonschema)
        schema = cls.config_jsonschema
        given: dict[str, Any] = {}
        for part in config if isinstance(config, (list, tuple)) else [config or {}]:
            given |= part if isinstance(part, dict) else from_files([str(part)])
        remarks: list[str] = []
        if from_variables:
            variables, remarks = from_environment(schema["properties"])
            given |= variables
        given = converted(given, schema)
        return given, remarks + unknown_names(given, schema)

    @property
    def states_given(self) -> Mapping[str, StreamState]:
        """What the state that the run was given has of each stream; known before the SDK takes it over."""
        raise NotImplementedError

    @property
    def writer(self) -> LineWriter:
        """The one writer to standard output."""
        assert isinstance(self.message_writer, LineWriter)  # noqa: S101 - for the type checker
        return self.message_writer

    @property
    def readable(self) -> Sequence[Stream]:
        """The streams that a test run reads."""
        raise NotImplementedError

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Return the settings of all files together."""
        sources = super().cb_config(ctx, param, tuple(path for path in value if path == ENVIRONMENT))
        sources.config.update(from_files(path for path in value if path != ENVIRONMENT))
        return sources

    @override
    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        """Write the catalog."""
        if not value:
            return
        with closing(ctx):  # also where it fails: files that were named stay open else
            sources = ctx.params.get("config")
            tap = cls(
                config=None if sources is None else sources.config,
                parse_env_config=sources is not None and sources.parse_env,
                setup_mapper=False,
                catalog_only=True,
            )
            tap.run_discovery()
            ctx.exit()

    @override
    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Write the SCHEMA of every stream, or read one record of each as well."""
        if value == NO_TEST:
            return
        with closing(ctx):
            sources = ctx.params.get("config")
            tap = cls(
                config=None if sources is None else sources.config,
                parse_env_config=sources is not None and sources.parse_env,
                setup_mapper=False,
            )
            for stream in tap.streams.values():
                stream.selected = True
            tap.setup_mapper()  # only now: it takes the columns of what is selected
            if value == SCHEMA_TEST:
                tap.write_schemas()
            else:
                tap.run_sync_dry_run(1, tap.readable)
            tap.writer.flush()
            tap.logger.info("the test succeeded")
            ctx.exit()

    @override
    @classmethod
    def invoke(  # type: ignore[override] # as the SDK's own tap does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Read what is selected, from the last state on."""
        if about:
            cls.print_about(about_format)
            return
        if logging.getLogger().isEnabledFor(logging.DEBUG):  # it takes a while to find out, and few look at it
            cls.print_version(print_fn=cls.logger.debug)
        tap = cls(
            config=None if config is None else config.config,
            parse_env_config=config is not None and config.parse_env,
            state=None if state is None else _object(state, "--state"),
            catalog=None if catalog is None else _object(catalog, "--catalog"),
        )
        tap.sync_all()


def _object(file: IO[str], option: str) -> Mapping[str, Any]:
    """Return the object in a file that the command line has opened as text."""
    found = parse_json(file.buffer.read(), file.name, option)  # type: ignore[attr-defined]
    if not isinstance(found, dict):
        raise errors.ConfigError(f"`{option}`: {file.name} is no JSON object")
    return found


def run(tap: type[CommandLine], arguments: Sequence[str] | None) -> None:
    """Run the command of a tap; a foreseeable failure is one line and exit code 1, or 77 for refused credentials."""
    with ending(logging.getLogger(tap.name), refused=REFUSED):
        command = tap.cli  # the SDK sets up its logging whenever this is asked for
        settle_logs()
        command(args=arguments)
