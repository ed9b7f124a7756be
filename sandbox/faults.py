"""Broken answers on command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sandbox.exchange import HTML, Answer, Effect, Request

Kind: TypeAlias = Literal[
    "intact",
    "400",
    "409",
    "422",
    "500",
    "502",
    "503",
    "504",
    "429",
    "broken_json",
    "cut_json",
    "cut_connection",
    "html",
    "null",
    "empty",
    "empty_page",
    "half_page",
    "drop",
    "stall",
    "slow_headers",
    "half_surrogate",
    "null_character",
    "no_utf8",
]

_PAGE = b"<html><head><title>Bad gateway</title></head><body><h1>We'll be right back</h1></body></html>"
#: The bytes put after the rule's text, as real records have them after a mail sync or an import.
_CHARACTERS: dict[str, bytes] = {"half_surrogate": rb"\ud83d", "null_character": rb"\u0000", "no_utf8": b"\xff"}
#: Kinds that are about a list, and the part of its records that they leave.
KEPT: dict[str, float] = {"empty_page": 0.0, "half_page": 0.5}
#: Kinds whose request is not carried out, unless the rule says so.
NOT_CARRIED_OUT = frozenset({"400", "409", "422", "500", "502", "503", "504", "429", "drop", "stall"})
#: Kinds after which nobody asks again: an answer like any other, and refusals.
FINAL = ("intact", "400", "409", "422")
_WHOLE_BODY: dict[str, bytes] = {"null": b"null", "empty": b"", "html": _PAGE}


def first_part(records: Any, kept: float) -> list[Any]:  # noqa: ANN401 - any JSON
    """Return the first part of a list; of anything else nothing."""
    return records[: int(len(records) * kept)] if isinstance(records, list) else []


@dataclass(slots=True)
class FaultRule:
    """Which answers break, and how; several kinds take turns.

    Answers are counted from 1 among those whose path contains `path`, since the rule was set.
    `every` breaks each k-th of them, `at` those listed; `times` ends the rule after so many faults. The kinds that are
    about a character put it after each `text` in the body.

    A status, `drop` and `stall` break a request before it is carried out, the others break its answer. For writes,
    `effect` says it for any kind: `FaultRule(["stall", "502"], only="writes", effect="whole")` is a timeout or a 502
    after the write, `effect="half"` leaves a bulk request half done, and `FaultRule(["intact"], effect="none")` is an
    answer like any other to a write that never happened.
    """

    kinds: list[Kind]
    every: int = 0
    at: list[int] = field(default_factory=list)
    path: str = ""
    times: int = 0
    seconds: float = 5.0
    retry_after: float | None = None
    text: str = ""
    only: Literal["", "reads", "writes"] = ""
    """Which requests are counted and broken; empty means all."""
    effect: Literal["", Effect] = ""
    """How much of a broken write is carried out; empty means as the kind has it."""
    seen: int = 0
    served: int = 0

    def next_for(self, request: Request, *, lists: bool, writes: bool = False) -> Kind | None:
        """Count a request; give the kind of fault it gets, if any."""
        if self.path not in request.path or self.only == ("reads" if writes else "writes"):
            return None
        self.seen += 1
        due = self.seen in self.at or (self.every > 0 and self.seen % self.every == 0)
        if not due or not self.kinds or (self.times and self.served >= self.times):
            return None
        kinds = [kind for kind in self.kinds if lists or kind not in KEPT]
        if not kinds:
            return None
        kind = kinds[self.served % len(kinds)]
        self.served += 1
        return kind


def pick(
    rules: list[FaultRule], request: Request, *, lists: bool, writes: bool = False
) -> tuple[Kind, FaultRule] | None:
    """Let every rule count the request; the first that is due decides."""
    chosen = None
    for rule in rules:
        kind = None if chosen else rule.next_for(request, lists=lists, writes=writes)
        if kind:
            chosen = (kind, rule)
    return chosen


def damaged(kind: Kind, answer: Answer, text: str = "") -> Answer:
    """Break the body of an answer that stays a valid HTTP message."""
    body = answer.body
    if kind in _WHOLE_BODY:
        body = _WHOLE_BODY[kind]
        return Answer(200, body, [], HTML if kind == "html" else answer.content_type)
    if kind in _CHARACTERS and text:
        return Answer(200, body.replace(text.encode(), text.encode() + _CHARACTERS[kind]), answer.headers)
    if kind == "broken_json":
        return Answer(200, body[:-1] + b',"oops": nope}', answer.headers)
    if kind == "cut_json":
        return Answer(200, body[: len(body) // 2] or b"[", answer.headers)
    return answer
