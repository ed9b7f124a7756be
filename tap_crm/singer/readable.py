"""Which streams a key could read lately: kept between the runs of a Meltano project, so that each need not ask anew."""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import TYPE_CHECKING

from tap_crm.config.kept_file import read_kept, write_kept

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from tap_crm.config.settings import Settings

#: Seconds for which a stream that could be read is not asked again.
LATELY = 86_400
FILE = "tap-crm-readable.json"


class Readable:
    """The streams that could be read within the last day, by the same credentials.

    Args:
        folder: where that is kept; None: nothing is known, and nothing is kept.
        settings: the user's.
    """

    def __init__(self, folder: Path | None, settings: Settings) -> None:
        self._file = None if folder is None else folder / FILE
        self._mark = _mark_of(settings)
        self._at = self._read()

    def _read(self) -> dict[str, float]:
        kept = {} if self._file is None else read_kept(self._file)
        streams = kept.get("streams")
        if kept.get("credentials") != self._mark or not isinstance(streams, dict):
            return {}
        now = time.time()
        return {name: at for name, at in streams.items() if isinstance(at, (int, float)) and 0 <= now - at < LATELY}

    def has(self, stream: str) -> bool:
        """Tell whether a stream could be read lately."""
        return stream in self._at

    def note(self, streams: Collection[str]) -> None:
        """Keep that streams could be read just now."""
        if self._file is None or not streams:
            return
        self._at |= dict.fromkeys(streams, time.time())
        write_kept(self._file, {"credentials": self._mark, "streams": self._at})


def _mark_of(settings: Settings) -> str:
    """Return a hash that tells the credentials from others, and shows nothing of them."""
    told = (settings.provider, settings.api_url, *sorted(settings.secrets), settings.own)
    return blake2b(repr(told).encode(), digest_size=16).hexdigest()
