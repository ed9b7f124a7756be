"""How much later than usual a request may have reached the server, as its answer shows.

A limit counts when requests arrive. Requests that leave evenly do not arrive so: one that was held up on its way
arrives together with those after it, and its place in the server's window is free again later by as much. Its answer
comes later, too. So a request counts as sent by so much later as its answer took longer than the quickest ones of its
path.

Answers may differ for other reasons: the server's work, or a long body. So there is only so much to spend on that.
"""

from __future__ import annotations

#: Seconds by which requests may count as sent later: what each answer adds, and how many there are at first and at
#: most. In the end, each request may so be a fortieth of a second later, which is 2.5 per cent of a limit per second.
EARNED, CREDIT = 0.025, 4.0
#: What is thought of as the quickest answer comes nearer to each one by this part, since networks change.
FORGETTING = 0.002
#: A request may come quicker than the quickest one so far, by so many seconds.
STILL_QUICKER = 0.005


class Lateness:
    """Tells by how much later the requests under one limit count."""

    def __init__(self) -> None:
        self._quickest: dict[str, float] = {}
        self._credit = CREDIT

    def of(self, path: str, took: float, slack: float) -> float:
        """Return by how many seconds later a request counts as sent.

        Args:
            path: its path: answers to the same one are alike.
            took: the seconds until it was answered.
            slack: what requests may differ by in any case.
        """
        quickest = self._quickest.get(path, took)
        self._quickest[path] = min(took, quickest + FORGETTING * (took - quickest))
        late = min(self._credit, max(0.0, took - quickest + STILL_QUICKER - slack))
        self._credit = min(CREDIT, self._credit + EARNED - late)
        return late
