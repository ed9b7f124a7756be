"""Copper's subscriptions: one for each type and event, 100 at most in an account, made by one key and dead with it.

Facts: developer.copper.com/webhooks (overview, create, update); help centre, article 8823460.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.config.kinds import SHORTEST_TOKEN
from tap_crm.inbox.subscribing.account import ATTEMPTS, moment_of
from tap_crm.inbox.subscribing.line import ACTIVE, DEAD, DIFFERENT, MADE, MENDED, MISSING, REFUSED, REMOVED, Line
from tap_crm.providers.copper.webhook_proof import TOKEN_HEADER

if TYPE_CHECKING:
    from tap_crm.inbox.subscribing.account import Account
    from tap_crm.providers.common.records import Record

TYPES = ("lead", "person", "company", "opportunity", "project", "task", "activity_log")
EVENTS = ("new", "update", "delete")
PAIRS = tuple(f"{kind} {event}" for kind in TYPES for event in EVENTS)
MOST = 100
_PATH = "/webhooks"
#: How a refusal reads that is about the number, not about the pair.
_TOO_MANY = re.compile(r"\b(100|limit|maximum|at most|too many)\b", re.IGNORECASE)
#: Stands in what the inbox keeps before the mark of the key that made a subscription.
_BY = ", key "


class CopperSubscriber:
    """Manages the subscriptions of an account of Copper."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def place(self) -> str | None:
        """Return the receiver's address without the token."""
        return self._account.place_among(self._hooks, "target")

    def status(self) -> list[Line]:
        """Say of each pair of type and event what there is."""
        mine, refused = self._mine(self._hooks()), self._account.refused()
        return [self._line(pair, mine.get(pair, []), refused) for pair in PAIRS]

    def mend(self) -> list[Line]:
        """Make and mend the subscriptions, pair by pair."""
        account, hooks = self._account, self._hooks()
        mine, gone = self._mine(hooks), self._gone(hooks)
        lines = {pair: self._line(pair, mine.get(pair, []), set()) for pair in PAIRS}
        needed = [pair for pair, line in lines.items() if line.state == MISSING]
        self._check_room(len(hooks), len(needed), sum(map(len, mine.values())))
        was_deaf = bool(gone) or any(line.state in (DEAD, DIFFERENT) for line in lines.values())
        reason, since = "subscriptions were gone, dead or different", self._since(hooks)
        if was_deaf:  # before anything is mended, and once more when it is: a run of the tap may come in between
            account.note_gap(reason, since)
        for number in gone:
            account.forget(number)
        done, refused = {}, {}
        for pair, line in lines.items():
            try:
                done[pair] = self._mended(pair, line, mine.get(pair, []))
            except errors.Refused as refusal:
                if _TOO_MANY.search(refusal.said):
                    raise errors.Refused(f"{_full(len(hooks))}: {refusal}", said=refusal.said) from None
                refused[pair] = refusal
        if refused and not done:
            raise next(iter(refused.values()))
        account.remember_refusals(set(refused))
        if was_deaf:
            account.note_gap(reason, since)
        return [done.get(pair) or Line(pair, REFUSED, note=_said(refused[pair])) for pair in PAIRS]

    def remove(self) -> list[Line]:
        """Delete our subscriptions."""
        account, lines = self._account, []
        for hook in self._hooks():
            number = str(hook["id"])
            if account.is_own(number, hook.get("target")):
                account.delete(f"{_PATH}/{number}", f"webhook subscription {number}")
                account.forget(number)
                lines.append(Line(_pair(hook), REMOVED, number))
        for number in account.known():
            account.forget(number)
        account.remember_refusals(set())
        return lines

    # Reading

    def _hooks(self) -> list[Record]:
        return self._account.list(_PATH)

    def _mine(self, hooks: list[Record]) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for hook in hooks:
            if self._account.is_own(str(hook["id"]), hook.get("target")):
                found.setdefault(_pair(hook), []).append(hook)
        return found

    def _gone(self, hooks: list[Record]) -> list[str]:
        """Return the ids that the inbox knows and the account has no more; each is asked for, no list is trusted."""
        listed = {str(hook["id"]) for hook in hooks}
        known = [number for number in self._account.known() if number not in listed]
        return [number for number in known if not self._account.exists(f"{_PATH}/{number}")]

    def _since(self, hooks: list[Record]) -> Any:  # noqa: ANN401 - a moment or None
        made = [one.made_at for one in self._account.known().values()]
        dates = [moment_of(hook.get("created_at")) for hook in hooks if _pair(hook) in PAIRS and self._is_own(hook)]
        return min([*made, *(date for date in dates if date is not None)], default=None)

    def _is_own(self, hook: Record) -> bool:
        return self._account.is_own(str(hook["id"]), hook.get("target"))

    def _line(self, pair: str, hooks: list[Record], refused: set[str]) -> Line:
        if not hooks:
            is_refused = pair in refused
            return Line(pair, REFUSED, note="Copper does not take it") if is_refused else Line(pair, MISSING)
        number, account = str(hooks[0]["id"]), self._account
        known = account.known().get(number)
        made_by = known.what.partition(_BY)[2] if known is not None else ""
        if account.key and made_by and made_by != account.key:
            return Line(pair, DEAD, number, "made by another key")
        wrong = "the inbox does not know it" if known is None else self._wrong(hooks)
        return Line(pair, DIFFERENT, number, wrong) if wrong else Line(pair, ACTIVE, number)

    def _wrong(self, hooks: list[Record]) -> str:
        """Say what is wrong with the subscriptions to one pair; nothing if there is one, and it is as it should be."""
        if hooks[0].get("target") != self._account.target:
            return "sends to another address"
        if not self._sends_token(hooks[0].get("headers")):
            return "does not send the token"
        return f"subscribed {len(hooks)} times" if len(hooks) > 1 else ""

    def _sends_token(self, headers: object) -> bool:
        """Tell whether headers hold the token; what is not shown, or hidden, is taken for right."""
        if not isinstance(headers, dict):
            return True
        given = {str(name).lower().replace("_", "-"): value for name, value in headers.items()}
        value = given.get(TOKEN_HEADER.lower())
        return isinstance(value, str) and (value == self._account.token or len(value) < SHORTEST_TOKEN)

    # Changing

    def _mended(self, pair: str, line: Line, hooks: list[Record]) -> Line:
        account = self._account
        if line.state == ACTIVE:
            return line
        if line.state == MISSING:
            return Line(pair, MADE, self._make(pair))
        if line.state == DEAD:
            for hook in hooks:
                self._drop(hook)
            return Line(pair, MENDED, self._make(pair), line.note)
        for hook in hooks[1:]:
            self._drop(hook)
        number = str(hooks[0]["id"])
        wanted = {"target": account.target, "headers": {TOKEN_HEADER: account.token}}
        account.change(f"{_PATH}/{number}", wanted, f"webhook subscription {number}")
        known = account.known().get(number)
        account.remember(number, known.what if known else self._kept(pair))
        return Line(pair, MENDED, number, line.note)

    def _make(self, pair: str) -> str:
        """Subscribe to a pair; return the id. Where the answer is lost, the account is looked at before it is repeated.

        Raises:
            Refused: Copper does not take the pair.
        """
        account = self._account
        kind, _, event = pair.partition(" ")
        headers = {TOKEN_HEADER: account.token}
        body = {"target": account.target, "type": kind, "event": event, "headers": headers}
        for left in reversed(range(ATTEMPTS)):
            try:
                number = str(account.create(_PATH, body, f"webhook subscription for {pair}")["id"])
            except errors.EffectUnknown:
                found = self._mine(self._hooks()).get(pair, [])
                if not found:
                    if left:
                        continue
                    raise
                number = str(found[0]["id"])
            account.remember(number, self._kept(pair))
            return number
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _drop(self, hook: Record) -> None:
        number = str(hook["id"])
        self._account.delete(f"{_PATH}/{number}", f"webhook subscription {number}")
        self._account.forget(number)

    def _kept(self, pair: str) -> str:
        return f"{pair}{_BY}{self._account.key}" if self._account.key else pair

    def _check_room(self, there: int, needed: int, own: int) -> None:
        if there + needed > MOST:
            raise errors.Refused(f"{_full(there)}, {own} of them ours, and {needed} more are needed: delete some first")


def _full(there: int) -> str:
    return f"Copper allows {MOST} webhook subscriptions in an account; {there} are there"


def _said(refusal: errors.FinalWord) -> str:
    return refusal.said or "Copper does not take it"


def _pair(hook: Record) -> str:
    return f"{hook.get('type')} {hook.get('event')}"
