"""The fault matrix: every stream and every write, with every fault of the network, once and for ever."""

from __future__ import annotations
