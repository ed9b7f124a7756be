"""`tap-crm-inbox subscribe`, `status`, `repair` and `unsubscribe`: complete after any death, and never a stranger's."""

# ruff: noqa: D102, D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import close, copera, copper
from sandbox.exchange import Refusal
from sandbox.faults import FaultRule
from sandbox.server import running
from tap_crm.inbox.command import main
from tap_crm.inbox.entries import Delivery
from tap_crm.inbox.spool import Spool
from tests.copies import app_of
from tests.inbox.serving import TOKEN, receiving
from tests.singer import Tap, environment, only
from tests.warm_tap import WarmRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.simulator import Moment, Simulator

URL = "https://events.example.com/crm"
TINY_COPPER: dict[str, Any] = {
    "people": 2,
    "companies": 2,
    "opportunities": 2,
    "leads": 2,
    "projects": 2,
    "tasks": 2,
    "activities": 2,
}
TINY_CLOSE: dict[str, Any] = {"leads": 2, "contacts": 2, "opportunities": 2, "tasks": 2, "activities": 10, "events": 4}
TINY_COPERA: dict[str, Any] = {"rows": 2, "bookings": 2}


@dataclass
class Crm:
    """A CRM with an inbox beside it, and the command in this process."""

    name: str
    app: Any
    config: dict[str, Any]
    folder: Path
    capture: pytest.CaptureFixture[bytes]

    def command(self, *words: str) -> list[str]:
        file = self.folder / "config.json"
        file.write_text(json.dumps(self.config))
        url = ("--public-url", URL) if words[0] == "subscribe" and "--public-url" not in words else ()
        return [words[0], "--config", str(file), *url, *words[1:]]

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a sub-command; gives its exit code and what it wrote."""
        with pytest.raises(SystemExit) as end:
            main(self.command(*words))
        out, err = self.capture.readouterr()
        assert TOKEN.encode() not in out + err
        return int(end.value.code or 0), out.decode(), err.decode()

    def report(self, word: str) -> tuple[int, dict[str, Any]]:
        code, out, err = self.run(word, "--json")
        assert out, err
        return code, json.loads(out)

    def states(self, word: str = "status") -> tuple[int, dict[str, int]]:
        """Run a sub-command; gives its exit code and how many subscriptions are in which state."""
        code, found = self.report(word)
        counts: dict[str, int] = {}
        for one in found["subscriptions"]:
            counts[one["state"]] = counts.get(one["state"], 0) + 1
        return code, counts

    @property
    def hooks(self) -> list[dict[str, Any]]:
        """The subscriptions of the account."""
        found: list[dict[str, Any]] = self.app.account.lists["webhooks"]
        return found

    @property
    def own(self) -> list[dict[str, Any]]:
        """Those that send to our receiver."""
        key = "target" if self.name == "copper" else "url"
        return [one for one in self.hooks if one[key] == f"{URL}/{self.name}/{TOKEN}"]

    @property
    def all_of_them(self) -> int:
        """How many there should be."""
        return 21 if self.name == "copper" else 1

    def writes(self) -> int:
        return sum(self.app.stats.writes.values())

    def spool(self) -> Spool:
        return Spool.open(self.config["inbox"])

    def gaps(self) -> list[str]:
        spool = self.spool()
        found = [one.body.decode() for one in spool.read(self.name, 0, 100) if one.kind == "gap"]
        spool.close()
        return found


@pytest.fixture
def start(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Iterator[Callable[..., Crm]]:
    with ExitStack() as stack:

        def start_one(name: str, **knobs: Any) -> Crm:  # noqa: ANN401 - any knob
            app: Simulator
            if name == "copper":
                app = app_of(copper.copper_app, copper.Shape, TINY_COPPER, rate_limit=0, **knobs)
                own = {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL}
            elif name == "close":
                app = app_of(close.close_app, close.Shape, TINY_CLOSE, rate_limit=0, **knobs)
                own = {"api_key": close.API_KEY}
            else:
                app = app_of(copera.copera_app, copera.Shape, TINY_COPERA, rate_limit=0, **knobs)
                own = {"api_key": copera.PAT}
            url = stack.enter_context(running(app))
            inbox = {"inbox": str(tmp_path / "inbox.sqlite"), "inbox_token": TOKEN}
            common = {"provider": name, "api_url": url, "requests_per_minute": 0, "request_timeout_seconds": 1}
            return Crm(name, app, common | own | inbox, tmp_path, capsysbinary)

        yield start_one


BOTH = pytest.mark.parametrize("name", ["copper", "close"])


@BOTH
def test_subscribe_makes_what_is_missing_once_and_status_shows_it(start: Callable[..., Crm], name: str) -> None:
    crm = start(name)
    strangers = [dict(one) for one in crm.hooks]
    assert crm.states() == (1, {"missing": crm.all_of_them})
    assert crm.states("subscribe") == (0, {"made": crm.all_of_them})
    made = [dict(one) for one in crm.own]
    assert len(made) == crm.all_of_them
    assert crm.states() == (0, {"active": crm.all_of_them})
    count = crm.writes()
    assert crm.states("subscribe") == (0, {"active": crm.all_of_them})
    assert (crm.writes(), crm.own) == (count, made)
    assert crm.hooks[: len(strangers)] == strangers
    assert crm.gaps() == []


@BOTH
def test_unsubscribe_takes_away_what_it_made_and_nothing_else(start: Callable[..., Crm], name: str) -> None:
    crm = start(name)
    strangers = [dict(one) for one in crm.hooks]
    crm.run("subscribe")
    assert crm.states("unsubscribe") == (0, {"removed": crm.all_of_them})
    assert crm.hooks == strangers
    assert crm.states("unsubscribe") == (0, {})
    assert crm.states() == (1, {"missing": crm.all_of_them})


def test_copper_sends_the_token_in_a_header_too(start: Callable[..., Crm]) -> None:
    crm = start("copper")
    crm.run("subscribe")
    assert all(one["headers"] == {"X-Tap-Crm-Token": TOKEN} for one in crm.own)
    pairs = {(one["type"], one["event"]) for one in crm.own}
    assert len(pairs) == 21


def test_close_keeps_the_key_that_only_the_creation_shows(start: Callable[..., Crm]) -> None:
    crm = start("close")
    crm.run("subscribe")
    spool = crm.spool()
    [kept] = spool.subscriptions("close")
    spool.close()
    assert kept.id == crm.own[0]["id"]
    assert kept.signature_key == crm.app.account.webhooks.health[kept.id].signature_key
    assert TOKEN not in kept.target


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("name", "answers"), [("copper", (2, 22)), ("close", (1, 2))], ids=["copper", "close"])
def test_whoever_dies_at_any_step_leaves_nothing_that_counts_as_right_and_is_not(
    start: Callable[..., Crm], name: str, answers: tuple[int, ...], moment: str
) -> None:
    """Killed before a request is carried out, or after: the last leaves a subscription that nobody noted."""
    crm = start(name)
    for answer in answers:
        killed(crm, answer, moment)
        code, found = crm.states()
        assert (code == 0) == (found == {"active": crm.all_of_them}), (answer, found)
        assert crm.states("subscribe")[0] == 0
        assert crm.states() == (0, {"active": crm.all_of_them}), answer
        assert len(crm.own) == crm.all_of_them
        if name == "close":
            assert known_keys(crm) == {one["id"]: key_of(crm, one["id"]) for one in crm.own}
        crm.run("unsubscribe")


def killed(crm: Crm, answers: int, moment: str) -> None:
    """Run `subscribe` in a process that is killed at an answer."""
    crm.app.stats.reset()
    sent: list[int] = []

    def kill(found: Moment) -> None:
        if found.when == moment and crm.app.stats.requests >= answers and not sent:
            sent.append(1)
            process.send_signal(signal.SIGKILL)
            if moment == "before":
                raise Refusal(503, "what was asked is not carried out")

    command = [sys.executable, "-m", "tap_crm.inbox", *crm.command("subscribe")]
    with tempfile.TemporaryFile() as output:
        process = WarmRun(command, environment(measured=False), output.fileno(), output.fileno())
        end = crm.app.on_answer(kill)
        assert process.wait(60) == -signal.SIGKILL
        process.close()
        end()


def known_keys(crm: Crm) -> dict[str, str | None]:
    spool = crm.spool()
    found = {one.id: one.signature_key for one in spool.subscriptions("close")}
    spool.close()
    return found


def key_of(crm: Crm, number: str) -> str:
    found: str = crm.app.account.webhooks.health[number].signature_key
    return found


@BOTH
def test_a_lost_answer_to_a_creation_is_looked_up_before_it_is_sent_again(start: Callable[..., Crm], name: str) -> None:
    crm = start(name, faults=[FaultRule(["502", "drop"], only="writes", effect="whole", at=[1, 3], path="webhook")])
    assert crm.states("subscribe") == (0, {"made": crm.all_of_them})
    assert len(crm.own) == crm.all_of_them
    assert crm.states() == (0, {"active": crm.all_of_them})
    if name == "close":
        assert known_keys(crm) == {one["id"]: key_of(crm, one["id"]) for one in crm.own}


def test_what_close_paused_is_missing_for_status_and_active_after_repair(start: Callable[..., Crm]) -> None:
    crm = start("close")
    crm.run("subscribe")
    crm.own[0] |= {"status": "paused", "pause_reason": "backlog"}
    code, found = crm.report("status")
    assert code == 1
    assert found["subscriptions"][0]["state"] == "paused"
    assert "backlog" in found["subscriptions"][0]["note"]
    assert crm.states("repair") == (0, {"mended": 1})
    assert crm.own[0]["status"] == "active"
    assert len(set(crm.gaps())) == 1


def test_a_filter_that_leaves_events_out_is_not_healthy_and_is_gone_after_repair(start: Callable[..., Crm]) -> None:
    """No update is documented to take it away: the subscription is made anew."""
    crm = start("close")
    crm.run("subscribe")
    crm.own[0]["event_filter"] = {"type": "equals", "field": "user_id", "value": "user_1"}
    code, found = crm.report("status")
    assert code == 1
    assert found["subscriptions"][0]["state"] == "different"
    assert "filter" in found["subscriptions"][0]["note"]
    assert crm.states("repair") == (0, {"mended": 1})
    assert [one.get("event_filter") for one in crm.own] == [None]
    assert len(set(crm.gaps())) == 1
    assert crm.states() == (0, {"active": 1})


@BOTH
def test_repair_makes_anew_what_is_gone_and_notes_a_gap_since_the_last_event(
    start: Callable[..., Crm], name: str
) -> None:
    crm = start(name)
    crm.run("subscribe")
    spool = crm.spool()
    made_at = spool.subscriptions(name)[0].made_at
    spool.append([Delivery(name, b"{}", made_at)])
    spool.close()
    gone = crm.own[0]
    crm.hooks.remove(gone)
    assert crm.states()[0] == 1
    found = crm.states("repair")[1]
    assert sum(found.values()) == crm.all_of_them
    assert len(crm.own) == crm.all_of_them
    assert gone["id"] not in [one["id"] for one in crm.own]
    assert set(crm.gaps()) == {made_at.isoformat()}
    assert crm.states() == (0, {"active": crm.all_of_them})


def test_a_key_that_was_switched_leaves_dead_subscriptions_which_repair_makes_anew(start: Callable[..., Crm]) -> None:
    crm = start("copper")
    crm.run("subscribe")
    old = {one["id"] for one in crm.own}
    crm.app.revoke(copper.API_KEY)
    crm.config["api_key"] = copper.SECOND_KEY
    assert crm.states() == (1, {"dead": 21})
    assert crm.states("repair") == (0, {"mended": 21})
    assert len(crm.own) == 21
    assert not old & {one["id"] for one in crm.own}
    assert crm.gaps()


def test_a_key_that_sees_only_its_own_subscriptions_makes_them_anew(start: Callable[..., Crm]) -> None:
    crm = start("copper", webhooks_shown="key")
    crm.run("subscribe")
    crm.app.revoke(copper.API_KEY)
    crm.config["api_key"] = copper.SECOND_KEY
    assert crm.states() == (1, {"missing": 21})
    assert crm.states("repair") == (0, {"made": 21})
    assert crm.states() == (0, {"active": 21})


@BOTH
def test_a_new_token_or_address_is_put_into_the_subscriptions(start: Callable[..., Crm], name: str) -> None:
    crm = start(name)
    crm.run("subscribe", "--public-url", "https://old.example.com")
    ids = {one["id"] for one in crm.hooks}
    assert crm.states("subscribe") == (0, {"mended": crm.all_of_them})
    assert len(crm.own) == crm.all_of_them
    assert {one["id"] for one in crm.hooks} == ids


def test_events_that_copper_does_not_take_are_named_and_do_not_count_as_missing(start: Callable[..., Crm]) -> None:
    crm = start("copper", activity_events="new")
    code, found = crm.report("subscribe")
    refused = [one["what"] for one in found["subscriptions"] if one["state"] == "refused"]
    assert (code, refused) == (0, ["activity_log update", "activity_log delete"])
    assert crm.states() == (0, {"active": 19, "refused": 2})
    crm.app.behaviour.activity_events = "all"
    assert crm.states("repair") == (0, {"active": 19, "made": 2})
    assert crm.states() == (0, {"active": 21})


@pytest.mark.parametrize("refusal", ["named", "plain"])
def test_events_that_close_does_not_take_do_not_fail_the_others(start: Callable[..., Crm], refusal: str) -> None:
    crm = start("close", refused_events=["import", "lead merged"], event_refusal=refusal)
    code, found = crm.report("subscribe")
    refused = {one["what"] for one in found["subscriptions"] if one["state"] == "refused"}
    assert code == 0
    assert {"lead merged", "import created"} <= refused
    assert all(one.startswith(("import ", "lead merged")) for one in refused)
    told = {(one["object_type"], one["action"]) for one in crm.own[0]["events"]}
    assert {("lead", "deleted"), ("activity.call", "completed"), ("comment", "updated")} <= told
    assert crm.states()[0] == 0
    crm.app.behaviour.refused_events = []
    assert crm.states("repair") == (0, {"mended": 1})
    assert crm.states() == (0, {"active": 1})


@BOTH
def test_too_many_subscriptions_are_one_clear_line_before_anything_is_made(
    start: Callable[..., Crm], name: str
) -> None:
    crm = start(name)
    most = 90 if name == "copper" else 40
    crm.hooks.extend({**crm.hooks[0], "id": 9_000 + n if name == "copper" else f"whsub_{n}"} for n in range(most))
    code, _, said = crm.run("subscribe")
    assert code == 1
    assert len(said.splitlines()) == 1
    assert ("100" if name == "copper" else "40") in said
    assert crm.own == []


@BOTH
def test_a_key_that_may_not_manage_webhooks_is_told_so(start: Callable[..., Crm], name: str) -> None:
    crm = start(name, forbidden_writes=["webhook"])
    code, _, said = crm.run("subscribe")
    assert code == 1
    assert "may not manage webhooks" in said
    assert crm.states() == (1, {"missing": crm.all_of_them})


@BOTH
def test_an_address_that_the_crm_does_not_take_is_an_error_with_its_words(start: Callable[..., Crm], name: str) -> None:
    crm = start(name)
    code, _, said = crm.run("subscribe", "--public-url", "http://127.0.0.1:8480")
    assert code == 1
    assert len(said.splitlines()) == 1
    assert ("Invalid URI" if name == "copper" else "https") in said


@BOTH
@pytest.mark.parametrize("fails", [{"new", "created"}, {"new", "update", "delete", "created"}], ids=["some", "all"])
def test_a_refusal_that_repeats_the_address_shows_no_token(
    start: Callable[..., Crm], name: str, fails: set[str]
) -> None:
    """Neither whole nor cut: the words of a refusal are shortened."""
    crm = start(name)

    def refuse(found: Moment) -> None:
        if found.when == "before" and found.request.method == "POST":
            body = json.loads(found.request.body)
            if body.get("event", "created") in fails:
                address = body.get("target") or body["url"]
                raise Refusal(422 if name == "copper" else 400, f"{'Invalid URI ' * 11} {address} or {address}")

    crm.app.on_answer(refuse)
    _, out, err = crm.run("subscribe")
    assert "Invalid URI" in out + err
    assert TOKEN[:8] not in out + err


@pytest.mark.parametrize(
    "url", ["http://example.com", "ftp://example.com", "https://", "events", "https://u:p@example.com", "https://a/?b"]
)
def test_a_public_address_that_cannot_be_one_is_refused_before_any_request(start: Callable[..., Crm], url: str) -> None:
    crm = start("close")
    code, _, said = crm.run("subscribe", "--public-url", url)
    assert code == 1
    assert "--public-url" in said
    assert crm.app.stats.requests == 0


@BOTH
def test_a_subscription_with_our_token_that_the_inbox_does_not_know_is_never_healthy(
    start: Callable[..., Crm], name: str
) -> None:
    """The inbox was lost: what Close sends cannot be proven any more, and Copper's may lack the header."""
    crm = start(name)
    crm.run("subscribe")
    for file in crm.folder.glob("inbox.sqlite*"):
        file.unlink()
    assert crm.states()[0] == 1
    assert crm.states("repair") == (0, {"mended": crm.all_of_them})
    assert crm.states() == (0, {"active": crm.all_of_them})
    assert len(crm.own) == crm.all_of_them


def test_subscriptions_that_were_made_twice_are_reduced_to_one(start: Callable[..., Crm]) -> None:
    crm = start("copper")
    crm.run("subscribe")
    twice = crm.own[4]
    crm.hooks.append({**twice, "id": 9_999})
    assert crm.states()[0] == 1
    assert crm.states("repair") == (0, {"active": 20, "mended": 1})
    assert len(crm.own) == 21
    assert crm.states() == (0, {"active": 21})


@BOTH
def test_repair_needs_to_know_where_events_are_received(start: Callable[..., Crm], name: str) -> None:
    code, _, said = start(name).run("repair")
    assert code == 1
    assert "--public-url" in said


def test_bookings_of_copera_are_set_up_by_hand_and_only_looked_at(start: Callable[..., Crm]) -> None:
    crm = start("copera")
    assert crm.states() == (1, {"missing": 1})
    crm.config["inbox_signature_key"] = "quiet"
    code, found = crm.report("subscribe")
    assert (code, found["subscriptions"][0]["state"]) == (0, "by hand")
    assert "/copera/" in found["subscriptions"][0]["note"]
    assert crm.writes() == 0


def test_status_is_a_table_for_people(start: Callable[..., Crm]) -> None:
    crm = start("copper")
    crm.run("subscribe")
    code, out, _ = crm.run("status")
    assert code == 0
    assert "person update" in out
    assert "copper: 21 active; last event: none" in out


@BOTH
def test_the_stream_of_webhooks_does_not_show_the_token(start: Callable[..., Crm], name: str) -> None:
    """It masks the token in the address, whether the tap knows it or not; other addresses are as they are."""
    crm = start(name)
    crm.run("subscribe")
    config = {key: value for key, value in crm.config.items() if not key.startswith("inbox")}
    tap = Tap(crm.folder, **config)
    tap.inside = True
    catalog, _ = tap.discover()
    run = tap.sync(catalog=only(catalog, "webhooks"))
    key = "target" if name == "copper" else "url"
    addresses = [record[key] for record in run.records("webhooks")]
    assert addresses.count(f"{URL}/{name}/********") == crm.all_of_them
    assert "https://example.com/hook/1" in addresses
    assert TOKEN not in json.dumps(run.messages, default=str) + run.log


@BOTH
def test_what_the_crm_sends_to_a_subscription_is_proven_and_kept(start: Callable[..., Crm], name: str) -> None:
    crm = start(name, webhook_targets="any", events={"time_scale": 0, "timeout": 30})
    spool = crm.spool()
    with receiving(spool) as url:
        crm.run("subscribe", "--public-url", url)
        [edited] = crm.app.account.edit("leads")
        crm.app.deliveries.advance()
        crm.app.behaviour.events.wrong_signatures = 1.0
        crm.app.account.edit("opportunities")
        crm.app.deliveries.advance()
    kept = [json.loads(one.body) for one in spool.read(name, 0, 100)]
    spool.close()
    assert [one["ids"][0] if name == "copper" else one["event"]["object_id"] for one in kept] == [edited]
