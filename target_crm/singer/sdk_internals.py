"""The only place of the target that knows private names of ``singer_sdk``; everything else uses those given here.

Why there must be some: the SDK passes a STATE on when its sinks are drained, while here it may pass only when every
record before it is settled in the journal. ``tests/sdk/test_internals.py`` lists the names and looks them up in the SDK
that is installed.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from singer_sdk import Target
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType


class SdkTarget(Target):
    """The SDK's target, whose states and signals are handled by whoever derives from this."""

    @abstractmethod
    def is_for_crm(self, stream: str) -> bool:
        """Tell whether messages of a stream are heeded."""

    @abstractmethod
    def check_declared(self, stream: str) -> None:
        """Raise where a record comes before the SCHEMA of its stream."""

    @abstractmethod
    def take_state(self, value: Mapping[str, Any]) -> None:
        """Take the value of a STATE message."""

    @abstractmethod
    def on_signal(self, number: int) -> None:
        """Follow SIGTERM or SIGINT."""

    @classmethod
    def given_by_variables(cls) -> dict[str, Any]:
        """Return the settings that the environment has."""
        return dict(cls._env_var_config)

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        if self.is_for_crm(message_dict["stream"]):
            super()._process_schema_message(message_dict)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        if self.is_for_crm(message_dict["stream"]):
            self.check_declared(message_dict["stream"])
            super()._process_record_message(message_dict)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Replace the SDK's, which would pass it on before uncertain writes are settled."""
        self.take_state(message_dict["value"])

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Delete nothing: what a read did not find is no deletion that somebody asked for."""

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Replace the SDK's handler, which would drain sinks in the middle of a record."""
        self.on_signal(signum)
