"""What the writers of several CRMs do alike."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tap_crm import errors
from tap_crm.config.nearest import did_you_mean
from target_crm.contract import CREATE, NotTaken, Unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_crm.transport.question import Question, Reply
    from target_crm.config.settings import StreamSettings
    from target_crm.contract import Field, ObjectSpec, Snapshot, Write
    from target_crm.writers.definitions import Ask

T = TypeVar("T")


def named_spec(
    specs: Mapping[str, ObjectSpec], stream: str, settings: StreamSettings, title: str, why: Mapping[str, str]
) -> ObjectSpec:
    """Return the object that a stream is written to, of a CRM whose objects have names.

    Args:
        specs: the objects that can be written, by name.
        stream: its name.
        settings: what the user says of it.
        title: the CRM's name.
        why: why others cannot be written, by name.

    Raises:
        ConfigError: there is no such object; names the nearest one.
    """
    name = stream if settings.object is None else settings.object
    if not isinstance(name, str):
        raise errors.ConfigError(f"the setting `streams.{stream}.object` must be a name: {title} has no boards")
    if name not in specs:
        reason = f": {why[name]}" if name in why else ""
        raise errors.ConfigError(
            f"the stream `{stream}` cannot be written: `{name}` is no object of {title} that this target writes"
            f"{reason}; there are: {', '.join(specs)}{did_you_mean(name, specs)}"
        )
    return specs[name]


def one_or_none(ask: Ask, question: Question, parse: Callable[[Reply], dict[str, Any]]) -> dict[str, Any] | None:
    """Return the record that a question asks for by its id; None where the CRM has none.

    A 404 may be a proxy's, or for another account. What counts as not there is made, or counts as deleted, so it is
    believed only if it comes twice.

    Raises:
        ReadError: the CRM did not answer, or refused the question.
    """
    for _ in range(2):
        try:
            found: dict[str, Any] = ask(question, parse)
        except errors.NotThere:
            continue
        return found
    return None


@contextmanager
def after_effect(what: str) -> Iterator[None]:
    """Within this, a request before has taken effect: whatever fails now does not say that nothing was written.

    Args:
        what: is written, for the message.

    Raises:
        EffectUnknown: something failed, or the run is ending.
    """
    try:
        yield
    except (errors.ReadError, errors.Cancelled) as error:
        why = "the run is ending" if isinstance(error, errors.Cancelled) else str(error)
        raise errors.EffectUnknown(f"{what}: it is written, maybe not all of it: {why}") from None


def is_blank(value: Any) -> bool:  # noqa: ANN401
    """Tell whether a field holds nothing; a box that is not checked is so, a zero is not, though equal to it."""
    return value is None or value is False or value in ("", [])


def has_all(record: Snapshot, values: Mapping[Field, Any]) -> bool:
    """Tell whether a record has what was sent; relations, which have requests of their own, are left out."""
    return all(
        field.kind is None or field.by_relation or field.kind.holds(field.value_in(record.values), value)
        for field, value in values.items()
    )


def sent_again(send: Callable[[], T]) -> T:
    """Send what writes back what an update has emptied; whole values may be sent as often as it takes."""
    for _ in range(2):
        with suppress(errors.EffectUnknown):
            return send()
    return send()


def not_restored(fields: Iterable[Field]) -> NotTaken:
    """Return what becomes of an update that has emptied fields which then could not be written back."""
    names = ", ".join(f"`{field.name}`" for field in fields)
    return NotTaken(f"it is written, but the CRM has emptied {names}, which could not be written back")


def check_needed(
    write: Write, what: str, names: Sequence[str], why: Callable[[Sequence[str]], str] = lambda _: ""
) -> None:
    """Check that a new record has the fields without which the CRM makes none, or another one than is meant.

    Args:
        write: what would be sent.
        what: the record, for the message.
        names: of the fields.
        why: returns what is to be added to the message, by the fields that are missing.

    Raises:
        Unwritable: one is missing.
    """
    if write.action != CREATE:
        return
    given = {field.name for field, value in write.values.items() if value is not None}
    missing = [name for name in names if name not in given]
    if missing:
        raise Unwritable(f"{what} needs {' and '.join(f'`{name}`' for name in missing)}{why(missing)}")
