"""An inbox whose process dies at any step of any operation: it is as before that operation, or as after it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from tap_crm.inbox.entries import Subscription
from tap_crm.inbox.spool import Spool
from tests.inbox.deliveries import START, Clock, delivery, kept
from tests.proof.images import copied, different, each_step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CRMS = ("close", "copper")
NAME = "inbox.sqlite"


def content(spool: Spool) -> dict[str, Any]:
    """Return all that an inbox tells."""
    return {
        **{crm: [(one.place, one.kind, one.body, one.stale) for one in spool.read(crm, 0, 100)] for crm in CRMS},
        **{f"{crm} places": (spool.newest(crm), spool.removed(crm)) for crm in CRMS},
        **{f"{crm} subscriptions": spool.subscriptions(crm) for crm in CRMS},
        "counters": spool.counters(),
        "identity": spool.identity(),
    }


def operations(clock: Clock) -> list[tuple[str, Callable[[Spool], object]]]:
    """Return each operation that writes, with what goes before it in a life of an inbox."""
    subscription = Subscription(
        provider="copper", id="7", what="person new", signature_key=None, made_at=START, target="https://example.com/"
    )

    def two_days_later(spool: Spool) -> None:
        clock.move(days=2)
        spool.retain(1, 1_000_000, at_once=1)

    return [
        ("come_alive", lambda spool: spool.come_alive()),
        ("append", lambda spool: spool.append([delivery(body, crm) for crm in CRMS for body in ("1", "2", "3")])),
        ("append one", lambda spool: spool.append([delivery("4", stale=True)])),
        ("append large", lambda spool: spool.append([delivery("x" * 300_000, "close")])),
        ("note_gap", lambda spool: spool.note_gap("copper", START, "a test")),
        ("count_refused", lambda spool: spool.count_refused("copper", 3)),
        ("remember", lambda spool: spool.remember(subscription)),
        ("forget", lambda spool: spool.forget("copper", "7")),
        ("confirm", lambda spool: spool.confirm("copper", spool.read("copper", 0, 2)[-1].place)),
        ("confirm all", lambda spool: spool.confirm("close", spool.newest("close"))),
        ("retain", two_days_later),
    ]


def tried(folder: Path) -> tuple[dict[str, int], list[str]]:
    """Stop at every step of every operation; return how many each has, and what is wrong after them."""
    clock, counts, wrong = Clock(), {}, []
    live = folder / "live"
    live.mkdir()
    with closing(Spool.open(str(live / NAME), now=clock)) as spool:
        for name, act in operations(clock):
            before = content(spool)
            images: list[tuple[str, Path]] = []

            def note(step: str, name: str = name, images: list[tuple[str, Path]] = images) -> None:
                images.append((step, copied(live, folder / f"{name} {len(images)}")))

            with each_step(note):
                act(spool)
            after = content(spool)
            counts[name] = len(images)
            states = _between(before, after, is_in_parts=name == "retain")
            for step, image in different(images):
                with closing(Spool.open(str(image / NAME), now=clock)) as found:
                    if content(found) not in states:
                        wrong.append(f"{name}, {step}: {content(found)}")
                    place = found.append([delivery("later")])
                    if place <= max(found.removed("copper"), before["copper places"][0]) or kept(found)[-1] != "later":
                        wrong.append(f"{name}, {step}: what comes later has the place {place}")
    return counts, wrong


class _Between(list[dict[str, Any]]):
    """Contents that an inbox may have: what was used goes in several transactions, the oldest first."""

    def __contains__(self, found: object) -> bool:
        before, after = self
        if not isinstance(found, dict):
            return False
        same = all(found[key] == before[key] for key in before if key.endswith("subscriptions") or key == "identity")
        return same and all(
            found[crm] == before[crm][len(before[crm]) - len(found[crm]) :] and len(found[crm]) >= len(after[crm])
            for crm in CRMS
        )


def _between(before: dict[str, Any], after: dict[str, Any], *, is_in_parts: bool) -> list[dict[str, Any]]:
    return _Between([before, after]) if is_in_parts else [before, after]


def test_every_step_of_every_operation_of_an_inbox(tmp_path: Path) -> None:
    """What is read then is what there was or what there is, and what arrives later has a later place."""
    counts, wrong = tried(tmp_path)
    assert not wrong
    assert all(count > 3 for count in counts.values()), counts


def test_every_step_of_making_an_inbox(tmp_path: Path) -> None:
    """The next process makes what is not there yet."""
    live = tmp_path / "live"
    images: list[tuple[str, Path]] = []
    live.mkdir()
    with each_step(lambda step: images.append((step, copied(live, tmp_path / str(len(images)))))):
        Spool.open(str(live / NAME)).close()
    assert len(images) > 10
    for step, image in different(images):
        with closing(Spool.open(str(image / NAME))) as spool:
            assert spool.append([delivery("1")]) > 0, step
            assert kept(spool) == ["1"], step
