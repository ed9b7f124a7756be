"""Streams that the account's owner declares: any list of the CRM's API, read with the same care as the others."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.contract.stream import PagingParams, StreamSpec
from tap_crm.providers.common.endpoint_answers import RECORD
from tap_crm.providers.common.endpoint_source import EndpointSource
from tap_crm.shaping.schema import EXTRA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_crm.config.endpoints import Endpoint
    from tap_crm.contract.stream import EndpointRules

CAUGHT = "declared in the setting `endpoints`"


def declared_streams(
    endpoints: Sequence[Endpoint], rules: EndpointRules, others: Mapping[str, StreamSpec]
) -> list[tuple[StreamSpec, dict[str, Any]]]:
    """Return the streams that endpoints declare, each with its schema.

    Args:
        endpoints: checked against the names of ``others``.
        rules: of the CRM.
        others: the streams that the CRM has anyway; a parent may be among them.

    Raises:
        ConfigError: an endpoint is paged in a way for which neither it nor the CRM has names.
    """
    specs: dict[str, StreamSpec] = {}
    by_name = {endpoint.stream: endpoint for endpoint in endpoints}

    def spec_of(name: str) -> StreamSpec:
        if name not in by_name:
            return others[name]
        if name not in specs:
            endpoint = by_name[name]
            parent = spec_of(endpoint.parent.stream) if endpoint.parent is not None else None
            specs[name] = _spec(endpoint, rules, parent)
        return specs[name]

    return [(spec_of(endpoint.stream), schema_of(endpoint, rules)) for endpoint in endpoints]


def _spec(endpoint: Endpoint, rules: EndpointRules, parent: StreamSpec | None) -> StreamSpec:
    return StreamSpec(
        endpoint.stream,
        endpoint.keys,
        EndpointSource(endpoint, rules, paging_of(endpoint, rules), parent),
        replication_key=endpoint.replication_key,
        selected=endpoint.selected,
        declared=True,
        caught=CAUGHT,
    )


def schema_of(endpoint: Endpoint, rules: EndpointRules) -> dict[str, Any]:
    """Return the schema of an endpoint's stream: the user's own, or the keys and all the rest as one object."""
    if endpoint.schema is not None:
        schema = copy.deepcopy(dict(endpoint.schema))
        schema["properties"] = {**schema["properties"], EXTRA: schema["properties"].get(EXTRA, _ANY_OBJECT)}
        return schema
    named = [*endpoint.keys, *([endpoint.parent.column] if endpoint.parent is not None else [])]
    properties: dict[str, Any] = {name: {"type": [_type_of(name, rules), "null"]} for name in dict.fromkeys(named)}
    if endpoint.replication_key is not None:
        properties[endpoint.replication_key] = {"type": ["string", "null"], "format": "date-time"}
    properties[RECORD] = {**_ANY_OBJECT, "description": "All other fields of the record, as the CRM has them."}
    return {"type": "object", "properties": properties}


_ANY_OBJECT: dict[str, Any] = {"type": ["object", "null"], "properties": {}, "additionalProperties": True}


def _type_of(name: str, rules: EndpointRules) -> str:
    return "integer" if rules.whole_ids and (name == "id" or name.endswith("_id")) else "string"


def paging_of(endpoint: Endpoint, rules: EndpointRules) -> PagingParams | None:
    """Return by what an endpoint's list goes on; None for a list in one answer.

    Raises:
        ConfigError: the CRM has no names of its own for this kind, and the endpoint lacks some.
    """
    paging = endpoint.paging
    if paging.kind == "none":
        return None
    usual = rules.paging.get(f"{endpoint.method} {paging.kind}") or rules.paging.get(paging.kind)
    named = "cursor_param" if paging.kind == "cursor" else "page_param"
    given = {named: paging.param, "size_param": paging.size_param, "size": paging.size}
    if paging.kind != "page":  # without sizes, an answer itself tells where it ends
        given = {named: paging.param}
    if paging.kind == "cursor":
        given["cursor_path"] = paging.cursor_path
    lacking = [f"`{name}`" for name, value in given.items() if value is None]
    if usual is None and lacking:
        raise errors.ConfigError(
            f"the endpoint `{endpoint.stream}`: the CRM has no usual names for `paging: {paging.kind}`; add "
            f"{', '.join(lacking)}"
        )
    return PagingParams(
        paging.param or (usual.param if usual else ""),
        paging.size_param or (usual.size_param if usual else ""),
        paging.size or (usual.size if usual else None),
        paging.cursor_path or (usual.cursor_path if usual else ""),
    )
