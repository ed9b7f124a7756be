"""The streams of the CRM: read completely by the tap's own engine, which writes nothing here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.audit.keys import Key, key_of
from tap_crm.audit.tables import ComparedColumns
from tap_crm.config.config_input import ENVIRONMENT, from_files
from tap_crm.config.json_files import read_json_object
from tap_crm.contract.stream import Deletions
from tap_crm.shaping.moments import to_epoch
from tap_crm.shaping.schema import DELETED_AT
from tap_crm.singer.stream import CrmStream
from tap_crm.singer.tap import TapCRM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_crm.shaping.account_column import AccountColumn

#: What the CRMs call the time of a record's creation.
CREATED = ("date_created", "createdAt")

_STATEMENTS = "where the loader does not heed ACTIVATE_VERSION, `--print-sql` prints statements"
_EACH_RUN = f"each run tells of deletions; {_STATEMENTS}"
FOUND_BY = {
    Deletions.RECONCILED: "deletions are found by a reconcile, which is due every `reconcile_days` with "
    f"`reconcile: auto`, and now with `reconcile: true`; {_STATEMENTS}",
    Deletions.EACH_RUN: _EACH_RUN,
    Deletions.BY_ITSELF: _EACH_RUN,
    Deletions.UNTOLD: "with `batch_config`, deletions are not told to the loader",
}


@dataclass(frozen=True, slots=True)
class ComparedStream:
    """One stream of the CRM, as it is compared."""

    source: CrmStream

    @property
    def name(self) -> str:
        """Its name."""
        return self.source.name

    @property
    def is_log(self) -> bool:
        """Whether the target keeps what the CRM forgets."""
        return self.source.spec.is_log

    @property
    def columns(self) -> ComparedColumns:
        """The columns that are asked of its table."""
        stream = self.source
        is_partial = stream.run.settings.start_date is not None and stream.replication_method == "INCREMENTAL"
        return ComparedColumns(
            stream.spec.primary_key,
            self._changed,
            stream.replication_key if is_partial else None,
            stream.run.settings.start_date if is_partial else None,
        )

    @property
    def deletions_are_found_by(self) -> str:
        """What is to be done about rows that the CRM does not have any more."""
        return FOUND_BY[self.source.tells_deletions]

    @property
    def _changed(self) -> str | None:
        """The selected field with the time of the last change; None where there is none."""
        declared = self.source.spec.changed
        return None if declared is None else self._field((declared,))

    def _field(self, names: Sequence[str]) -> str | None:
        selected = self.source.mask
        known = self.source.effective_schema["properties"]
        return next((name for name in names if name in known and selected.get(("properties", name), True)), None)

    def records(self) -> Iterator[tuple[Key, int | None, int | None]]:
        """Yield key, change time and creation time of each record.

        Raises:
            ReadError: the CRM did not give them all.
        """
        self._deselect_the_rest()
        changed, created = self._changed, self._field(CREATED)
        for record in self.source.get_records(None):
            if record.get(DELETED_AT) is None:
                yield (
                    key_of([record.get(name) for name in self.source.spec.primary_key]),
                    to_epoch(record.get(changed)) if changed is not None else None,
                    to_epoch(record.get(created)) if created is not None else None,
                )

    def _deselect_the_rest(self) -> None:
        """Deselect all fields that are not compared: nothing is made of them then."""
        needed = {*self.source.spec.primary_key, self.source.spec.changed, *CREATED, DELETED_AT}
        for breadcrumb, entry in self.source.metadata.items():
            if breadcrumb and breadcrumb[-1] not in needed:
                entry.selected = False
        self.source.selected = True  # which has the SDK look at the fields again


class CrmAccount:
    """The CRM, and which of its streams are compared.

    Args:
        tap: the tap, which is never run as such.
        names: of streams, whether they are selected or not; none for those that are selected.
    """

    def __init__(self, tap: TapCRM, names: Sequence[str] = ()) -> None:
        self._tap = tap
        # Custom fields are not compared: their definitions are not asked for.
        tap.run.settings = replace(tap.settings, custom_fields="raw")
        self.provider, self.title = tap.provider.name, tap.provider.title
        self._names = names
        self.offers_what_there_is = tap.input_catalog is None and not names

    def streams(self) -> list[ComparedStream]:
        """Return the streams that are compared.

        Raises:
            ConfigError: the catalog or the names are of streams that are not there.
            ReadError: the CRM cannot be reached, or refuses the credentials.
        """
        there = {name: one for name, one in self._tap.streams.items() if isinstance(one, CrmStream)}
        unknown = [name for name in self._names if name not in there]
        if unknown:
            raise errors.ConfigError(
                f"{self.title} has no stream {', '.join(unknown)}; `--streams` takes of: {', '.join(there)}"
            )
        self._tap.check_input()
        wanted = self._names or [name for name, one in there.items() if one.selected]
        found = [ComparedStream(there[name]) for name in dict.fromkeys(wanted)]
        if not found:
            raise errors.ConfigError("no stream is selected; check `--catalog`, or name some by `--streams`")
        self._check_access(found[0].source)
        return found

    def find(self) -> None:
        """Find out which account it is, where several share the tables; else nothing is asked.

        Raises:
            ReadError: the CRM does not tell it.
        """
        if self._tap.settings.account_column is not None:
            with self._tap.run.retrying_briefly():
                self._tap.find_account()

    @property
    def column(self) -> AccountColumn | None:
        """The column with the account's id, once it was found out; None for none."""
        return self._tap.run.account_column

    def lost(self) -> dict[str, str]:
        """Return the streams that the catalog selects and the account does not have any more, each with the reason."""
        return {} if self._names else dict(self._tap.run.failures)

    def _check_access(self, stream: CrmStream) -> None:
        """Find out early, and once, whether the CRM can be reached and takes the credentials."""
        with self._tap.run.retrying_briefly(), suppress(errors.FinalWord):  # which says nothing of the others
            stream.probe()

    def close(self) -> None:
        """End what still reads, and close the connections."""
        self._tap.run.close()


def open_account(configs: Sequence[str], catalog: str | None, names: Sequence[str]) -> CrmAccount:
    """Return the CRM that a config names.

    Args:
        configs: files; `ENV` for variables such as `TAP_CRM_API_KEY`.
        catalog: a file; None to select what is selected by default.
        names: of streams, to compare these and no others.

    Raises:
        ConfigError: a file or a setting cannot be used.
    """
    tap = TapCRM(
        config=from_files(path for path in configs if path != ENVIRONMENT),
        catalog=None if catalog is None else read_json_object(catalog, "--catalog"),
        parse_env_config=ENVIRONMENT in configs,
    )
    return CrmAccount(tap, names)
