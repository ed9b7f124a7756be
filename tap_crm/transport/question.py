"""What is asked, what is answered, and why an answer may not be believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Question:
    """One request to the CRM, as data.

    ``label`` says for a user what is asked ("people, page 3"); ``params`` go into the query string, ``body``
    is sent as JSON. A ``spooled`` answer is so large that it is kept in a file. ``patience`` is how many seconds it
    may stay silent at least, whatever the settings say. One that ``writes`` is sent once, but for refusals that say
    that nothing was done; any 2xx is an answer to it, also an empty one. ``secrets`` are what its body holds that no
    message may show, whatever the CRM says of it.
    """

    method: str
    path: str
    label: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    spooled: bool = False
    patience: float = 0.0
    writes: bool = False
    secrets: tuple[str, ...] = ()

    @property
    def is_safe(self) -> bool:
        """Whether it may be asked once more for no other reason than to hear an answer: it reads, and not much."""
        reads = self.method == "GET" or self.path.rstrip("/").endswith("/search")
        return reads and not self.spooled

    @property
    def endpoint(self) -> str:
        """What fails together, as far as an address tells: the first part of the path."""
        return self.path.strip("/").partition("/")[0]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer with status 200 and a JSON body that is not yet parsed; a spooled one is in ``file``.

    ``server_time`` is the present, in epoch seconds, by the earlier of the server's clock and this machine's.
    """

    body: bytes
    headers: Mapping[str, str]
    server_time: float
    file: IO[bytes] | None = None


class Doubtful(Exception):  # noqa: N818 - it names the answer, not an error of ours
    """This attempt brought nothing that can be believed; another one may."""

    def __init__(
        self,
        reason: str,
        *,
        hold: float | None = None,
        limited: bool = False,
        timed_out: bool = False,
        unsent: bool = False,
    ) -> None:
        """Keep the reason for the user, whether it was a 429, and for how long everybody was asked to wait.

        Of an ``unsent`` question it is certain that it did not reach the CRM.
        """
        super().__init__(reason)
        self.unsent = unsent
        self.hold = hold
        self.limited = limited
        self.timed_out = timed_out
        self.wait = 0.0


class NoText(Doubtful):
    """The answer holds bytes that are no UTF-8."""

    def __init__(self) -> None:
        """Say so without the bytes."""
        super().__init__("the answer holds bytes that are no UTF-8")
