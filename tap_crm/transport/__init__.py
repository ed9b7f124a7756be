"""HTTP as this tap needs it: one session, one pacer, retries, and answers that are believed only if whole."""

from __future__ import annotations
