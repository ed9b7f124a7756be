"""Pacing by endpoint group: the limit is learned from the answers, used up, and never passed by much."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from tap_crm.transport.pacing.headers import Told, limit_of, told_limit
from tap_crm.transport.pacing.pacing import Pacing
from tests.unit.fake_time import FakeTime
from tests.unit.limited_server import MODERN, SEMICOLONS, Account, Bucket

TEN_A_SECOND = Bucket(10, 1.0, rolls=True)


def by_path(_: str, path: str) -> str:
    """Every path is a group of its own."""
    return path


def fresh(bucket: Bucket, **changes: Any) -> Bucket:  # noqa: ANN401 - its own fields
    """Return such a bucket from which nothing was taken."""
    return replace(bucket, taken=[], **changes)


def used(account: Account, path: str, seconds: float) -> float:
    """Return which part of a bucket's limit was used for good."""
    bucket = account.buckets[path]
    return account.answered[path] / seconds / (bucket.limit / bucket.window)


@pytest.mark.parametrize(
    "text",
    [
        "limit=100, remaining=50, reset=5",
        "limit=100; remaining=50; reset=5",
        "reset=5;limit=100,remaining=50",
        "  Reset = 5 ,  REMAINING=50;Limit=100  ",
        'limit="100", remaining="50", reset="5", w=8',
        "limit=100, 100;w=8, remaining=50, reset=5",
    ],
)
def test_the_header_is_read_in_each_spelling(text: str) -> None:
    """Its separators differ by source."""
    told = told_limit(text)
    assert told is not None
    assert (told.limit, told.remaining, told.reset) == (100, 50, 5)
    assert told.window == (8 if "w=" in text else None)


def test_the_legacy_headers_may_hold_fractions() -> None:
    """They are read only where the present one is missing."""
    legacy = {"x-rate-limit-limit": "10", "x-rate-limit-remaining": "3", "x-rate-limit-reset": "0.35"}
    assert limit_of(CaseInsensitiveDict(legacy)) == Told(10, 3, 0.35)
    assert limit_of(CaseInsensitiveDict({**legacy, "ratelimit": "limit=7"})) == Told(7)
    assert limit_of({}) is None


@pytest.mark.parametrize(("latency", "text"), [(0.05, "legacy"), (0.15, MODERN), (0.15, SEMICOLONS), (0.6, MODERN)])
def test_a_rolling_second_of_ten_is_used_up_without_a_429(latency: float, text: str) -> None:
    """Though its header says ``remaining=0, reset=1`` nearly always."""
    account = Account({"a": fresh(TEN_A_SECOND, text=text)}, latency=latency)
    account.run(60, 8, "a")
    assert account.limited["a"] == 0
    assert used(account, "a", 60) >= 0.95


@pytest.mark.parametrize("kind", [{"rolls": False}, {"rolls": True}, {"rolls": True, "always_whole": True}])
@pytest.mark.parametrize("per_minute", [60, 600])
def test_a_long_window_is_used_up_without_a_429(kind: dict[str, bool], per_minute: int) -> None:
    """160 in 8 seconds, whether the window begins anew, rolls, or always says that its reset is 8 seconds away."""
    account = Account({"a": fresh(Bucket(160, 8.0), **kind)}, per_minute)
    account.run(60, 5, "a")
    assert account.limited["a"] == 0
    assert used(account, "a", 60) >= 0.95


def test_a_default_beyond_the_limit_is_corrected_by_the_first_answers() -> None:
    """The documentation may be old."""
    account = Account({"a": fresh(TEN_A_SECOND)}, per_minute=2400)
    account.run(60, 8, "a")
    assert account.limited["a"] <= 3
    assert used(account, "a", 60) >= 0.9


@pytest.mark.parametrize(("share", "late"), [(1.0, 0.04), (0.01, 0.3), (0.03, 0.2), (0.05, 0.6)])
@pytest.mark.parametrize("limit", [TEN_A_SECOND, Bucket(160, 8.0, rolls=True)])
def test_requests_that_are_late_at_times_are_not_refused(limit: Bucket, share: float, late: float) -> None:
    """They arrive together with those after them; and hardly anything of the limit is left for that."""
    account = Account({"a": fresh(limit)}, 1200)
    draw = account.random
    account.way = lambda: 0.07 + (draw.uniform(0, late) if draw.random() < share else 0)
    account.run(120, 10, "a")
    assert account.limited["a"] == 0
    assert used(account, "a", 120) >= 0.92


def test_a_429_that_nobody_else_caused_does_not_bring_others() -> None:
    """While the pace is slow, and while it recovers, no window has one too many either."""
    account = Account({"a": fresh(TEN_A_SECOND)}, 1200)
    draw = account.random
    account.way = lambda: 0.07 + draw.uniform(0, 0.04)
    account.run(20, 10, "a")
    account.pacing.learn("GET", "a", {"RateLimit": "limit=10, remaining=0, reset=1"}, limited=True)
    account.run(100, 10, "a")
    assert account.limited["a"] == 0


def test_answers_that_differ_by_the_servers_work_cost_little() -> None:
    """They look as if their requests had been late."""
    account = Account({"a": fresh(TEN_A_SECOND)}, 1200)
    draw = account.random
    account.work = lambda: draw.uniform(0.1, 0.5)
    account.run(120, 20, "a")
    assert account.limited["a"] <= 1
    assert used(account, "a", 120) >= 0.92


def test_groups_with_limits_of_their_own_run_side_by_side() -> None:
    """Each at its full rate."""
    account = Account({"a": fresh(TEN_A_SECOND), "b": Bucket(160, 8.0)})
    account.run(60, 4, "a", "b")
    assert account.limited.total() == 0
    assert min(used(account, "a", 60), used(account, "b", 60)) >= 0.95


@pytest.mark.parametrize("bucket", [TEN_A_SECOND, Bucket(160, 8.0), Bucket(160, 8.0, rolls=True)])
@pytest.mark.parametrize("groups", ["ab", "abc"])
def test_groups_that_share_a_bucket_are_found_out(
    bucket: Bucket, groups: str, caplog: pytest.LogCaptureFixture
) -> None:
    """After a few refusals they are paced together; it is said once."""
    caplog.set_level(logging.INFO)
    account = Account(dict.fromkeys(groups, fresh(bucket)))
    account.run(90, 3, *groups)
    assert account.limited.total() <= 8
    assert sum(used(account, path, 90) for path in groups) >= 0.9
    assert [record.message for record in caplog.records] == [
        f"the endpoint groups {', '.join(groups)} share one rate limit: they are paced together from now on"
    ]


def test_without_any_header_a_429_to_two_groups_joins_them() -> None:
    """Each was within the documented limit."""
    bucket = fresh(TEN_A_SECOND, text="")
    account = Account({"a": bucket, "b": bucket})
    account.run(60, 6, "a", "b")
    assert account.limited.total() <= 10
    assert used(account, "a", 60) + used(account, "b", 60) >= 0.85


@pytest.mark.parametrize("bucket", [TEN_A_SECOND, Bucket(160, 8.0), Bucket(100, 5.0, rolls=True, always_whole=True)])
def test_what_others_leave_is_used_with_few_refusals(bucket: Bucket) -> None:
    """Another integration takes half of the bucket."""
    account = Account({"a": fresh(bucket)})
    account.run(120, 4, "a", also=(account.others("a", 0.5 * bucket.limit / bucket.window, 120),))
    assert used(account, "a", 120) >= 0.35
    assert account.limited["a"] <= 0.03 * account.answered["a"]


def test_others_on_one_bucket_do_not_slow_the_other_group() -> None:
    """A refusal that all our own requests do not explain is no sign of a shared bucket."""
    account = Account({"a": fresh(TEN_A_SECOND), "b": fresh(TEN_A_SECOND)})
    account.run(60, 4, "a", "b", also=(account.others("a", 4, 60),))
    assert used(account, "b", 60) >= 0.95
    assert used(account, "a", 60) >= 0.4


def test_a_users_rate_is_never_exceeded_by_all_groups_together() -> None:
    """Whatever the headers allow."""
    account = Account({"a": Bucket(160, 8.0), "b": Bucket(160, 8.0)})
    account.pacing = account.pacing_of(120, is_ceiling=True)
    account.run(60, 4, "a", "b")
    assert 110 <= account.answered.total() <= 121
    assert account.pacing.interval == pytest.approx(60 / 120 / 0.98)


def test_a_users_rate_beyond_the_limit_yields_to_the_header() -> None:
    """It overrides the documentation, not the CRM."""
    account = Account({"a": fresh(TEN_A_SECOND)})
    account.pacing = account.pacing_of(6000, is_ceiling=True)
    account.run(60, 4, "a")
    assert account.limited["a"] <= 5
    assert used(account, "a", 60) >= 0.9


@pytest.mark.parametrize(
    "text",
    [
        "limit=0, remaining=0, reset=0",
        "limit=-5, remaining=-5, reset=-5",
        "limit=nan, remaining=inf, reset=1e999",
        "limit=many, remaining=few, reset=soon",
        "limit=1000000000, remaining=5, reset=1",
        "limit=40000, remaining=39000, reset=86400",
        "limit=1, remaining=0, reset=3000",
        "limit, remaining; =;,",
        "remaining=0, reset=60",
        "",
    ],
)
def test_a_header_that_makes_no_sense_changes_nothing(text: str) -> None:
    """Neither does one without a limit."""
    fake = FakeTime()
    pacing = Pacing(600, clock=fake.clock, sleep=fake.sleep)
    pacing.wait("GET", "/x")
    pacing.learn("GET", "/x", {"RateLimit": text}, limited=False)
    assert pacing.wait("GET", "/x") == pytest.approx(60 / 600 / 0.98)
    assert pacing.interval == pytest.approx(60 / 600 / 0.98)


@given(text=st.text(alphabet='limtreanosgw=,; "-.e0123456789', max_size=60), limited=st.booleans())
def test_any_header_at_all_is_survived(text: str, limited: bool) -> None:
    """And nobody waits for more than an hour and a bit because of it."""
    fake = FakeTime()
    pacing = Pacing(600, by_path, clock=fake.clock, sleep=fake.sleep)
    for path in "aba":
        pacing.wait("GET", path)
        pacing.learn("GET", path, {"RateLimit": text}, limited=limited)
    assert pacing.wait("GET", "a") <= 3700


def test_zero_means_no_pacing_but_a_hold_is_honoured_by_its_group() -> None:
    """Also where headers tell a limit."""
    fake = FakeTime()
    pacing = Pacing(0, by_path, is_ceiling=True, clock=fake.clock, sleep=fake.sleep)
    for _ in range(100):
        assert pacing.wait("GET", "a") == 0.0
        pacing.learn("GET", "a", {"RateLimit": "limit=1, remaining=0, reset=60"}, limited=False)
    pacing.hold("GET", "a", 20)
    assert pacing.interval == 0.0
    assert pacing.wait("GET", "b") == 0.0
    assert pacing.wait("GET", "a") == pytest.approx(20)


def test_a_rest_that_others_used_up_is_waited_for() -> None:
    """Nothing remains for three seconds, and it was not us."""
    fake = FakeTime()
    pacing = Pacing(600, clock=fake.clock, sleep=fake.sleep)
    pacing.wait("GET", "/x")
    pacing.learn("GET", "/x", {"RateLimit": "limit=160, remaining=100, reset=8"}, limited=False)
    fake.now += 5
    pacing.wait("GET", "/x")
    pacing.learn("GET", "/x", {"RateLimit": "limit=160, remaining=0, reset=3"}, limited=False)
    assert pacing.wait("GET", "/x") == pytest.approx(3)


@pytest.mark.parametrize("remaining", [0, 1, 5])
def test_nobody_pauses_for_longer_than_a_minute_unasked(remaining: int) -> None:
    """A window of an hour that others used up: the next request hears from the CRM how long to wait."""
    fake = FakeTime()
    pacing = Pacing(600, clock=fake.clock, sleep=fake.sleep)
    for reset in (3000, 2500):
        pacing.wait("GET", "/x")
        pacing.learn("GET", "/x", {"RateLimit": f"limit=6000, remaining={remaining}, reset={reset}"}, limited=False)
    assert 50 <= pacing.wait("GET", "/x") <= 61


def test_the_interval_is_that_of_the_fastest_group() -> None:
    """It decides how many windows are walked at once."""
    fake = FakeTime()
    pacing = Pacing(60, by_path, clock=fake.clock, sleep=fake.sleep)
    assert pacing.interval == pytest.approx(1 / 0.98)
    for path, limit in (("a", 10), ("b", 40)):
        pacing.wait("GET", path)
        pacing.learn("GET", path, {"RateLimit": f"limit={limit}, remaining={limit - 1}, reset=1"}, limited=False)
    assert pacing.interval == pytest.approx(1 / 40 / 0.98)
