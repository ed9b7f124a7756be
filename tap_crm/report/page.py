"""Makes the page: one HTML file that loads nothing and runs nothing, for any screen and for paper."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from tap_crm.providers import PROVIDERS
from tap_crm.report.charts import Bar, bars, spark
from tap_crm.report.facts import DAY, Counts
from tap_crm.report.judging import MOST_NAMES, Status, is_renamed
from tap_crm.transport.pacing.pacing import one_group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.contract.stream import Provider
    from tap_crm.report.facts import Account, Remark, Run
    from tap_crm.report.judging import Verdict

#: Runs, failures and remarks that a table shows.
MOST_LINES = 12
#: From so many accounts on, those that are complete and fresh are folded.
FEW_ACCOUNTS = 3
_CODE = re.compile(r"`([^`]+)`")
#: Characters that HTML cannot hold, or that change what stands beside them.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MINUTE, _HOUR = 60, 3_600


class Page:
    """The page of some accounts.

    Args:
        verdicts: of each account.
        now: the present, in epoch seconds.
        days: of history.
        max_age: seconds, as they were judged by.
        limit: requests a minute; None for what each CRM documents.
    """

    def __init__(self, verdicts: Sequence[Verdict], now: float, days: int, max_age: float, limit: float | None) -> None:
        self.now, self.days, self.max_age = now, days, max_age
        self.limit = limit
        self.verdicts = sorted(verdicts, key=lambda one: (one.is_good, one.account.name))
        self.last_day = int(now // DAY)

    def render(self) -> str:
        """Return the HTML."""
        environment = Environment(
            autoescape=True,
            loader=PackageLoader("tap_crm.report"),
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        environment.filters |= {"number": number, "code": code, "moment": self.moment, "ago": self.ago, "took": took}
        environment.globals |= {"page": self, "Status": Status, "most": MOST_LINES, "most_names": MOST_NAMES}
        template = environment.get_template("page.html.j2")
        return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", template.render())

    # What the page says first

    @property
    def is_good(self) -> bool:
        """Whether every account is complete and fresh."""
        return all(one.is_good for one in self.verdicts)

    @property
    def is_from_state(self) -> bool:
        """Whether only states are known, which do not tell how runs ended."""
        return all(one.account.from_state for one in self.verdicts)

    @property
    def headline(self) -> str:
        """What it comes to."""
        failed, old = (sum(len(one.of(of)) for one in self.verdicts) for of in (Status.FAILED, Status.STALE))
        streams = sum(one.read for one in self.verdicts)
        if self.is_good and not any(one.of(Status.UNFINISHED) for one in self.verdicts):
            return "Fresh, as far as a state tells" if self.is_from_state else "Complete and fresh"
        parts = [f"{failed} of {streams} streams are not complete"] if failed else []
        parts += [f"{old} {'' if parts else f'of {streams} streams '}{'are' if old > 1 else 'is'} old"] if old else []
        left = sum(len(one.of(Status.UNFINISHED)) for one in self.verdicts)
        return "; ".join(parts or [f"Fresh; {left} of {streams} streams go on in the next run"])

    @property
    def title(self) -> str:
        """What the browser's tab says."""
        return f"{self.headline} · tap-crm"

    @property
    def oldest(self) -> float | None:
        """Up to then everything is loaded."""
        found = [one.oldest for one in self.verdicts]
        known = [one for one in found if one is not None]
        return min(known) if known and len(known) == len(found) else None

    def last_run(self, account: Account) -> Run | None:
        """Return the newest run of an account."""
        return account.runs[0] if account.runs else None

    @property
    def newest_run(self) -> Run | None:
        """The newest run of all accounts."""
        return max((one.account.runs[0] for one in self.verdicts if one.account.runs), key=_began, default=None)

    # The limit

    def limit_of(self, account: Account) -> float | None:
        """Return requests a minute; None where nothing is known."""
        provider = _provider(account)
        return self.limit if self.limit is not None or provider is None else float(provider.requests_per_minute)

    def is_by_group(self, account: Account) -> bool:
        """Tell whether the CRM counts groups of requests apart, so that a run may send more than the limit."""
        provider = _provider(account)
        return provider is not None and provider.group_of is not one_group

    def share(self, account: Account, run: Run) -> float | None:
        """Return the share of the limit that a run has used while it went on, in percent; a minute counts as whole."""
        limit = self.limit_of(account)
        return run.counts.requests / (limit * max(1.0, run.seconds / _MINUTE)) * 100 if limit else None

    # Days

    @property
    def every_day(self) -> list[int]:
        """The days of the history, the oldest first."""
        return list(range(self.last_day - self.days + 1, self.last_day + 1))

    def by_day(self, account: Account) -> dict[int, Counts]:
        """Return what the runs of each day read and cost."""
        found = dict.fromkeys(self.every_day, Counts())
        for stream in account.streams:
            for day, counts in stream.days.items():
                if day in found:
                    found[day] += counts
        return found

    def chart(self, account: Account, what: str) -> Markup:
        """Return bars of what each day has."""
        days = self.by_day(account)
        words = {"records": "rows", "requests": "requests", "deletions": "deletions"}[what]
        part = {day: counts.rate_limited if what == "requests" else 0 for day, counts in days.items()}
        refused = {day: f", {number(count)} refused (429)" if count else "" for day, count in part.items()}
        drawn = [
            Bar(
                getattr(counts, what),
                f"{self.day(day)}: {number(getattr(counts, what))} {words}{refused[day]}",
                part[day],
            )
            for day, counts in days.items()
        ]
        total = sum(one.value for one in drawn)
        highest = max(drawn, key=lambda one: one.value)
        return bars(drawn, f"{number(total)} {words} in {self.days} days; the most on {highest.said}")

    def spark(self, days: dict[int, Counts]) -> Markup:
        """Return small bars of the rows of a stream, a bar for each day."""
        return spark([days.get(day, Counts()).records for day in self.every_day])

    def total(self, days: dict[int, Counts]) -> Counts:
        """Return the sums of the days that are shown."""
        return sum((counts for day, counts in days.items() if day in self.every_day), Counts())

    @staticmethod
    def day(day: int) -> str:
        """Return a day for people."""
        return datetime.fromtimestamp(day * DAY, UTC).strftime("%Y-%m-%d")

    # Times

    def moment(self, at: float | None) -> Markup | str:
        """Return a time for people and programs."""
        if at is None:
            return "never"
        when = datetime.fromtimestamp(at, UTC)
        iso, said = when.strftime("%Y-%m-%dT%H:%M:%SZ"), when.strftime("%Y-%m-%d %H:%M")
        return Markup('<time datetime="{}">{}</time>').format(iso, said)

    def ago(self, at: float | None) -> str:
        """Return how long ago a time is."""
        if at is None:
            return "never"
        seconds = self.now - at
        return f"in {took(-seconds)}" if seconds <= -_MINUTE else f"{took(max(0.0, seconds))} ago"

    # The rest

    def title_of(self, account: Account) -> str:
        """Return the CRM's name for people."""
        provider = _provider(account)
        return provider.title if provider is not None else account.provider or "State"

    def is_open(self, verdict: Verdict) -> bool:
        """Tell whether the details of an account are unfolded at first."""
        return not verdict.is_good or len(self.verdicts) <= FEW_ACCOUNTS

    @staticmethod
    def renamed(account: Account) -> list[Remark]:
        """Return what says that values arrive in another column."""
        return [one for one in account.remarks if is_renamed(one.text)]

    @staticmethod
    def other_remarks(account: Account) -> list[Remark]:
        """Return all other remarks."""
        return [one for one in account.remarks if not is_renamed(one.text)]


def _began(run: Run) -> float:
    return run.started


def _provider(account: Account) -> Provider | None:
    return PROVIDERS.get(account.provider or "")


def number(value: float | None) -> str:
    """Return a number for people."""
    return "-" if value is None else f"{value:,.0f}"


def took(seconds: float) -> str:
    """Return a span of time, in one unit or two."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h" if seconds < 2 * DAY else f"{seconds / DAY:.0f} days"


def code(text: str) -> Markup:
    """Return a text whose parts between backticks are marked as code; all of it is escaped."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just now


def page_of(verdicts: Sequence[Verdict], days: int, max_age: float, limit: float | None, now: float) -> str:
    """Return the page of some accounts."""
    return Page(verdicts, now, days, max_age, limit).render()
