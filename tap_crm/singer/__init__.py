"""The only folder that knows the SDK: the tap, its streams, what is written."""

from __future__ import annotations
