"""What can go wrong, said in one sentence for the user: what happened, where, and what to do.

No message holds a secret or the content of a record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class CrmError(Exception):
    """A foreseeable failure; its text is one line that a user can act on."""


class ConfigError(CrmError):
    """The config, the catalog or the state cannot be used. Raised before any request."""


class OtherAccount(CrmError):  # noqa: N818 - the name says what happened
    """The state is of another account than the credentials."""


class TargetGone(CrmError):  # noqa: N818 - the name says what happened
    """Nobody reads what the tap writes any more."""


class ReadError(CrmError):
    """A stream, or a part of it, could not be read."""


class CredentialsRefused(ReadError):  # noqa: N818 - the name says what happened
    """The CRM answered 401: nothing more can be read with this key, so the run ends."""


class FinalWord(ReadError):  # noqa: N818
    """The CRM answered one question with a refusal; ``said`` are its own words on it, "" if there are none.

    They are for the reader's decisions: what a user may see of them is in the message.
    """

    def __init__(self, message: str, *, said: str = "") -> None:
        """Keep the CRM's words beside ours."""
        super().__init__(message)
        self.said = said


class Forbidden(FinalWord):
    """The CRM answered 403: this key's user may not read this resource."""


class NotThere(FinalWord):
    """The CRM answered 404: no such resource, or the record is gone."""


class Refused(FinalWord):
    """The CRM refused the question itself (400, 405, 415, 422): asking again cannot help."""


class InConflict(Refused):
    """The CRM refused a write since it is in conflict with something else (409): it was not carried out."""


class GaveUp(ReadError):  # noqa: N818
    """Every retry failed until the time for retries was over."""

    def __init__(self, message: str, *, timed_out: bool = False, is_over_all: bool = False) -> None:
        """Remember what the next question may bring.

        Args:
            message: one line.
            timed_out: the last attempt timed out: a smaller question may be answered.
            is_over_all: nothing at all is answered any more: no other question is worth asking.
        """
        super().__init__(message)
        self.timed_out = timed_out
        self.is_over_all = is_over_all


class EffectUnknown(CrmError):  # noqa: N818
    """A question that writes was sent, and nothing tells whether it took effect."""


class Incomplete(ReadError):  # noqa: N818
    """The stream was read to its end, but cannot be proven or made complete."""


class TooManyGone(ReadError):  # noqa: N818
    """So many records are gone that a lost permission is as likely as their deletion: nothing is concluded."""


class Emptied(ReadError):  # noqa: N818
    """A list is empty that was not: a broken answer is as likely, so nothing is concluded yet."""

    def __init__(self, message: str, empty_since: Mapping[str, int]) -> None:
        """Remember which lists are empty since when, in epoch seconds: a later run can tell for how long it was so."""
        super().__init__(message)
        self.empty_since = empty_since


class Cancelled(Exception):  # noqa: N818
    """The run is ending: whoever still reads may stop. Never shown to a user."""


def no_room(error: OSError) -> str:
    """Return what to say where a file of a read cannot be written, such as an answer that waits in a temporary one."""
    return (
        f"a file cannot be written or read ({error.strerror or type(error).__name__}); large answers wait in temporary "
        "files, in the folder that the variable TMPDIR names: make room there, or name another one"
    )
