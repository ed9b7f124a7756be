"""The sink: hands each record to the engine as it came, which writes them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import RecordSink
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_crm.singer.target import TargetCRM

#: The SDK's sink parses times and refuses what does not fit: here a record that cannot be written is rejected alone.
_ANYTHING: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": True}


class CrmSink(RecordSink):
    """One stream.

    Args:
        target: the target.
        stream_name: the stream.
        schema: as it came.
        key_properties: as they came; what is the key is a setting.
    """

    def __init__(
        self, target: TargetCRM, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        super().__init__(target, stream_name, {**_ANYTHING, "properties": {}}, None)
        self.schema = _ANYTHING  # the SDK adds its own columns, whose times it parses; one that is none ends the run
        self.original_schema = schema
        self._keys = key_properties
        self._target = target
        target.engine.declare(stream_name, schema["properties"])

    @property
    @override
    def key_properties(self) -> Sequence[str]:
        return self._keys or []

    @property
    @override
    def include_sdc_metadata_properties(self) -> bool:
        return True  # else the SDK takes `_sdc_deleted_at` out of the records

    @override
    def get_validator(self) -> None:
        """Validate nothing: the fields are checked one by one."""

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        self._target.engine.take(self.stream_name, record)

    @override
    def activate_version(self, new_version: int) -> None:
        """Delete nothing: what a read did not find is no deletion that somebody asked for."""
