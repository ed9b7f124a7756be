"""A declaration that cannot work is one clear line, before anything is asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.config.endpoints import Paging, Parent, check_methods, check_names, parse_endpoints
from tap_crm.errors import ConfigError
from tap_crm.providers import PROVIDERS
from tap_crm.providers.common.endpoints import paging_of, schema_of

if TYPE_CHECKING:
    from pathlib import Path

CALLS = {"stream": "calls", "path": "/calls", "keys": ["id"]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"stream": None}, "endpoint 1 of `endpoints`: `stream` is missing"),
        ({"stream": "Calls"}, "`stream` must begin with a lower-case letter"),
        ({"stream": "a" * 64}, "`stream` must begin with a lower-case letter"),
        ({"path": None}, "the endpoint `calls`: `path` is missing"),
        ({"path": "calls"}, "`path` must be a path below the API's base"),
        ({"path": "https://elsewhere.example/calls"}, "`path` must be a path below the API's base"),
        ({"path": "//elsewhere.example/calls"}, "`path` must be a path below the API's base"),
        ({"path": "/calls/../../secrets"}, "`path` must be a path below the API's base"),
        ({"path": "/calls?limit=1"}, "`path` must be a path below the API's base"),
        ({"path": "/calls/{"}, "braces without a name"),
        ({"path": "/people/{id}/calls"}, "`parent` says whose field takes their place"),
        ({"parent": {"stream": "people", "field": "id", "as": "person_id"}}, "`path` must have {id}"),
        ({"parent": {"stream": "people", "field": "id"}}, "`parent` must be an object with `stream`, `field` and `as`"),
        ({"keys": None}, "`keys` must be a list"),
        ({"keys": []}, "`keys` must be a list"),
        ({"keys": ["id", "id"]}, "`keys` names a field twice"),
        ({"method": "DELETE"}, "`method` must be one of: GET, POST"),
        ({"body": {"a": 1}}, "`body` needs `method"),
        ({"query": {"a": [1]}}, "the value of `a` must be text"),
        ({"query": []}, "`query` must be an object"),
        ({"paging": "pages"}, "`paging` must be one of: none, page, skip, cursor"),
        ({"size": 10}, "`size` has no use with `paging: none`"),
        ({"paging": "page", "cursor_path": "next"}, "`cursor_path` has no use with `paging: page`"),
        ({"paging": "page", "size": 0}, "`size` must be a whole number"),
        ({"paging": "page", "size": True}, "`size` must be a whole number"),
        ({"replication_key": "date_updated"}, "`replication_key` and `since_param` go together"),
        ({"since_param": "date_updated__gte"}, "`replication_key` and `since_param` go together"),
        ({"since_format": "unix"}, "`since_format` must be one of: iso, epoch"),
        ({"schema": {"type": "object"}}, "with `properties`"),
        ({"schema": "/no/such/file.json"}, "cannot be read"),
        ({"schema": {"properties": {"name": {}}}}, "its `schema` has no property `id`"),
        ({"selected": "no"}, "`selected` must be true or false"),
        ({"pathh": "/x"}, "`pathh` is no key of an endpoint; did you mean `path`?"),
    ],
)
def test_a_wrong_declaration_is_named(change: dict[str, Any], says: str) -> None:
    """The message names the endpoint, the key and what it should be."""
    entry = {key: value for key, value in {**CALLS, **change}.items() if value is not None}
    with pytest.raises(ConfigError) as caught:
        parse_endpoints([entry])
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["{}", 1, [1], {"stream": "calls"}])
def test_the_setting_is_a_list_of_objects(value: Any) -> None:  # noqa: ANN401 - any JSON
    """Anything else is refused."""
    with pytest.raises(ConfigError, match="must be a list of objects"):
        parse_endpoints(value)


@pytest.mark.parametrize("value", [None, "", []])
def test_no_endpoints_are_none(value: Any) -> None:  # noqa: ANN401 - any JSON
    """Nothing is declared."""
    assert parse_endpoints(value) == ()


def test_a_stream_is_declared_once() -> None:
    """Two endpoints of one name would overwrite each other."""
    with pytest.raises(ConfigError, match="declares the stream `calls` twice"):
        parse_endpoints([CALLS, {**CALLS, "path": "/other"}])


def test_all_keys_arrive() -> None:
    """What is declared is what is read."""
    (found,) = parse_endpoints(
        [
            {
                **CALLS,
                "path": "/people/{id}/calls",
                "method": "POST",
                "query": {"deleted": True},
                "body": {"type": "all"},
                "records": "data.calls",
                "paging": "cursor",
                "cursor_param": "after",
                "cursor_path": "meta.next",
                "size": 50,
                "parent": {"stream": "people", "field": "id", "as": "person_id"},
                "selected": False,
            }
        ]
    )
    assert found.paging == Paging("cursor", "after", None, 50, "meta.next")
    assert found.parent == Parent("people", "id", "person_id")
    assert (found.query, found.body, found.records) == ({"deleted": "true"}, {"type": "all"}, "data.calls")
    assert (found.method, found.selected, found.placeholders) == ("POST", False, ("id",))


def test_a_schema_may_be_a_file(tmp_path: Path) -> None:
    """It is read when the settings are."""
    file = tmp_path / "calls.json"
    file.write_text(json.dumps({"properties": {"id": {"type": "string"}}}))
    (found,) = parse_endpoints([{**CALLS, "schema": str(file)}])
    assert found.schema == {"properties": {"id": {"type": "string"}}}
    file.write_text("{")
    with pytest.raises(ConfigError, match="is no JSON"):
        parse_endpoints([{**CALLS, "schema": str(file)}])


@pytest.mark.parametrize(
    ("parent", "says"),
    [
        ("peopel", "there is no stream `peopel` that could be its `parent`; did you mean `people`?"),
        ("calls", "a child of itself"),
    ],
)
def test_a_parent_is_another_stream(parent: str, says: str) -> None:
    """It is there, and it is not the endpoint itself."""
    entry = {**CALLS, "path": "/{id}/calls", "parent": {"stream": parent, "field": "id", "as": "parent_id"}}
    with pytest.raises(ConfigError, match=says):
        check_names(parse_endpoints([entry]), {"people"})


def test_a_name_of_another_stream_is_refused() -> None:
    """The user's stream must not take its place."""
    with pytest.raises(ConfigError, match="there is a stream `calls` already"):
        check_names(parse_endpoints([CALLS]), {"calls"})


@pytest.mark.parametrize(
    ("crm", "method", "path", "reads"),
    [
        ("copper", "POST", "/people/search", True),
        ("copper", "POST", "/people/fetch_by_email", True),
        ("copper", "POST", "/companies/5/activities", True),
        ("copper", "POST", "/people", False),
        ("copper", "POST", "/people/bulk_create", False),
        ("close", "POST", "/data/search/", True),
        ("close", "POST", "/report/activity/", True),
        ("close", "POST", "/lead/", False),
        ("close", "POST", "/lead/merge/", False),
        ("copera", "POST", "/board/1/table/2/row", False),
        ("copera", "GET", "/anything", True),
    ],
)
def test_only_what_reads_is_a_stream(crm: str, method: str, path: str, reads: bool) -> None:
    """A POST that may write is refused before anything is asked."""
    endpoints = parse_endpoints([{**CALLS, "path": path, "method": method}])
    rules = PROVIDERS[crm].endpoints
    if reads:
        check_methods(endpoints, rules.reads)
    else:
        with pytest.raises(ConfigError, match="may write"):
            check_methods(endpoints, rules.reads)


def test_a_kind_of_paging_that_the_crm_does_not_have_needs_its_names() -> None:
    """Copper has no cursors: where they are must be said."""
    (found,) = parse_endpoints([{**CALLS, "paging": "cursor"}])
    with pytest.raises(ConfigError, match="add `cursor_param`, `cursor_path`"):
        paging_of(found, PROVIDERS["copper"].endpoints)


def test_without_a_schema_keys_are_columns_and_the_rest_is_one() -> None:
    """Copper's ids are whole numbers."""
    entry = {**CALLS, "path": "/p/{id}/c", "parent": {"stream": "people", "field": "id", "as": "person_id"}}
    (found,) = parse_endpoints([entry])
    properties = schema_of(found, PROVIDERS["copper"].endpoints)["properties"]
    assert list(properties) == ["id", "person_id", "record"]
    assert properties["id"]["type"] == properties["person_id"]["type"] == ["integer", "null"]
    properties = schema_of(found, PROVIDERS["close"].endpoints)["properties"]
    assert properties["id"]["type"] == ["string", "null"]
