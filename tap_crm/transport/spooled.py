"""Files without a name for what is too large to keep in memory: in memory first, then where ``TMPDIR`` says."""

from __future__ import annotations

import tempfile
from typing import IO

#: A file goes to the disk beyond so many bytes.
SPOOLED_IN_MEMORY = 4_000_000


def spooled() -> IO[bytes]:
    """Return an empty file that is gone once it is closed."""
    return tempfile.SpooledTemporaryFile(SPOOLED_IN_MEMORY)
