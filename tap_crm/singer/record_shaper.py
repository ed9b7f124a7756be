"""What of a stream's records is written, and in which form: by the fast path, or record by record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import NoneType
from typing import TYPE_CHECKING, Any

from tap_crm.shaping.compiled import PageEncoder
from tap_crm.shaping.conform import RecordConformer
from tap_crm.shaping.free_objects import to_text
from tap_crm.shaping.retyped import renamed
from tap_crm.shaping.schema import EXTRA, json_types
from tap_crm.shaping.selection import Within
from tap_crm.singer.catalog_checks import texts_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Mapping

    from tap_crm.contract.stream import StreamSpec
    from tap_crm.ledger import Ledger
    from tap_crm.messages import Page
    from tap_crm.shaping.account_column import AccountColumn
    from tap_crm.shaping.custom.columns import CustomColumns
    from tap_crm.shaping.custom.values import CustomValues
    from tap_crm.singer.told_stream import ToldStream
    from tap_crm.sync.run import Run


@dataclass(frozen=True, slots=True)
class Form:
    """Which fields a stream's records have where they are written.

    Attributes:
        own: the properties of our own schema that are no columns of custom fields.
        told: the properties of the catalog's schema, which the target is told.
        wanted: the top-level fields that are selected.
        mask: what is selected, by breadcrumb.
        date_order: how the account writes dates that come as text.
        names: what the target calls fields whose type has changed, by what the source does.
        free: the fields that are written as JSON text.
        whole: records have all fields, in the order of the schema.
        account: the column that each record gets besides.
    """

    own: Mapping[str, Any]
    told: Mapping[str, Any]
    wanted: frozenset[str]
    mask: Mapping[tuple[str, ...], bool]
    date_order: str = "mdy"
    names: Mapping[str, str] = field(default_factory=dict)
    free: frozenset[str] = frozenset()
    whole: bool = False
    account: AccountColumn | None = None

    def told_by(self, stream: ToldStream, run: Run) -> Form:
        """Return the same in the form that the user wants, as the target is told of it."""
        settings = run.settings
        return replace(
            self,
            date_order=run.date_order,
            names=stream.told_names,
            free=stream.texts.among(self.own),
            whole=settings.missing_properties == "null",
            account=run.account_column,
        )


class RecordShaper:
    """Makes what is written of a stream's records; used by the thread that writes.

    Args:
        spec: the stream.
        form: which fields are written.
        custom: what the account has of custom fields.
    """

    def __init__(self, spec: StreamSpec, form: Form, custom: CustomColumns | None) -> None:
        self._spec, self._form, self._columns = spec, form, custom
        self._deselected = Within(form.mask)
        # Where the account makes the schema, texts are minded by the schema.
        self._texts = frozenset() if spec.versioned else texts_of(form.own, form.told) - form.free
        # Columns of custom fields are found by the fields' ids.
        self._renamed = form.names if spec.versioned else {}
        self._custom = self._values_of_columns()
        self._schema = self._schema_in_effect()
        self._conformer: RecordConformer | None = None

    @property
    def is_plain(self) -> bool:
        """Whether a page's records need nothing that only the careful path does."""
        columns = self._columns
        known = columns is None or not (columns.gathers_unknown or self._is_raw_as_text(columns))
        if self._form.whole:
            return False
        masked = self._spec.masked or self._spec.masked_parts
        return known and not masked and not self._deselected and not self._texts and not self._renamed

    def encoded(self, page: Page) -> list[bytes] | None:
        """Return a page's records as JSON, straight from its body; None if it needs the careful path."""
        lines = None if page.body is None else self._encoder.encode(page.body, page.keep, page.within)
        account = self._form.account
        return lines if lines is None or account is None else account.added_to_lines(lines)

    def records(self, page: Page) -> Iterable[dict[str, Any]]:
        """Yield the records of a page by the careful path."""
        conformer = self._careful()
        for found in page.decoded():
            named = renamed(found, self._renamed) if self._renamed else found
            record = self._deselected.leave_out(conformer.conform(named))
            for name in self._texts & record.keys():
                if not isinstance(record[name], (str, NoneType)):
                    record[name] = to_text(record[name])
            for name in self._form.free & record.keys():
                record[name] = to_text(record[name])
            if self._form.account is not None:
                record = self._form.account.added_to(record)
            yield self._whole(record) if self._form.whole else record

    def _whole(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return a record with every selected field."""
        return {name: record.get(name) for name in self._form.told if name in self._form.wanted}

    def _is_raw_as_text(self, columns: CustomColumns) -> bool:
        """Tell whether custom fields are written as they come, in one column that is JSON text."""
        return columns.form != "columns" and columns.layout.column in self._form.free

    def misfits(self) -> Counter[str]:
        """Return how many values of each field did not fit their type."""
        misfits = Counter(self._conformer.misfits if self._conformer is not None else {})
        return misfits if self._custom is None else misfits + self._custom.misfits

    def remarks(self) -> Iterable[str]:
        """Return what is to be said of the values of custom fields."""
        return () if self._custom is None else self._custom.remarks()

    def _schema_in_effect(self) -> dict[str, Any]:
        """Return our own schema, cut down to what the catalog knows: the rest goes to ``_extra``.

        Where the account makes the schema, the type of a field may be another one than when the catalog was made. What
        is emitted fits the catalog's then, which is the one that the target is told.
        """
        known, own = self._form.told, self._form.own
        retyped = {
            name
            for name, part in own.items()
            if self._spec.versioned
            and name not in self._form.free
            and json_types(known.get(name) or part) != json_types(part)
        }
        return {"properties": {name: known[name] if name in retyped else own[name] for name in own if name in known}}

    @cached_property
    def _encoder(self) -> PageEncoder:
        form = self._form
        return PageEncoder(
            self._schema, form.wanted, form.date_order, self._custom, self._spec.envelope, texts=form.free
        )

    def _careful(self) -> RecordConformer:
        if self._conformer is None:
            self._conformer = RecordConformer(
                self._schema,
                self._form.wanted,
                self._form.date_order,
                self._spec.masked,
                masked_parts=self._spec.masked_parts,
                custom=self._custom,
                envelope=self._spec.envelope,
            )
        return self._conformer

    def _values_of_columns(self) -> CustomValues | None:
        """Return what reads custom fields into columns; None where the values are emitted just as they come."""
        if self._columns is None or self._columns.is_left_as_it_comes:
            return None
        return self._columns.values(dict(self._form.told), self._form.wanted, self._form.date_order)


def tell_of_values(stream: str, ledger: Ledger, shaper: RecordShaper | None, log: logging.Logger) -> None:
    """Say of a stream that was written which values were not written as they came.

    Args:
        stream: its name.
        ledger: where that is counted and noted.
        shaper: what shaped its records; None if there were none.
        log: takes the warnings.
    """

    def note(remark: str) -> None:
        ledger.note(remark)
        log.warning("%s: %s", stream, remark)

    if shaper is not None:
        for remark in shaper.remarks():
            note(remark)
        for name, count in sorted(shaper.misfits().items()):
            ledger.add(misfits=count)
            log.warning(
                "%s: %d values of `%s` did not fit their type; they are null, and kept as they are in `%s`",
                stream,
                count,
                name,
                EXTRA,
            )
    if ledger.characters_replaced:
        replaced = f"{ledger.characters_replaced} broken characters in the CRM's answers"
        note(f"{replaced}: U+FFFD stands in their place")
    if ledger.characters_removed:
        note(f"{ledger.characters_removed} NUL characters in the CRM's answers are left out")
