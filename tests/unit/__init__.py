"""What each module of the tap promises, one topic a file; no test here needs a network beyond this machine."""

from __future__ import annotations
