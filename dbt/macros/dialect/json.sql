{# JSON in both dialects: `json` in DuckDB, `jsonb` in PostgreSQL. #}

{% macro type_json() %}{{ return(adapter.dispatch('type_json', 'tap_crm')()) }}{% endmacro %}
{% macro default__type_json() %}jsonb{% endmacro %}
{% macro duckdb__type_json() %}json{% endmacro %}

{# A column of any type as JSON: loaders have arrays and objects as JSON, as arrays, or as JSON text. #}
{% macro as_json(expression) %}{{ return(adapter.dispatch('as_json', 'tap_crm')(expression)) }}{% endmacro %}
{% macro default__as_json(expression) %}to_jsonb({{ expression }}){% endmacro %}
{% macro duckdb__as_json(expression) %}to_json({{ expression }}){% endmacro %}

{# Whether a type is that of texts, which may be JSON text: the setting `nested_values` makes it of objects and arrays. #}
{% macro is_text(type) %}{{ return(modules.re.match('(text|varchar|character varying|string)', type) is not none) }}{% endmacro %}

{# A text as JSON: what it says where it is an object or an array, as people write none; else the text itself. #}
{% macro text_as_json(expression) %}{{ return(adapter.dispatch('text_as_json', 'tap_crm')(expression)) }}{% endmacro %}
{% macro default__text_as_json(expression) -%}
{#- Before PostgreSQL 16, nothing tells whether a text is JSON: one that only looks like it fails the build. -#}
{%- set version = run_query("select current_setting('server_version_num')").rows[0][0] | int if execute else 0 -%}
case
    when {{ tap_crm.looks_like_json(expression) }}{% if version >= 160000 %} and pg_input_is_valid({{ expression }}, 'jsonb'){% endif %}
        then cast({{ expression }} as jsonb)
    else to_jsonb({{ expression }})
end
{%- endmacro %}
{% macro duckdb__text_as_json(expression) -%}
case
    when {{ tap_crm.looks_like_json(expression) }} and json_valid({{ expression }})
        then try_cast({{ expression }} as json)
    else to_json({{ expression }})
end
{%- endmacro %}

{% macro looks_like_json(expression) %}left({{ expression }}, 1) || right({{ expression }}, 1) in ('[]', '{}'){% endmacro %}

{# The whole row of a table alias. #}
{% macro row_as_json(alias) %}{{ return(adapter.dispatch('row_as_json', 'tap_crm')(alias)) }}{% endmacro %}
{% macro default__row_as_json(alias) %}to_jsonb({{ alias }}){% endmacro %}
{% macro duckdb__row_as_json(alias) %}to_json({{ alias }}){% endmacro %}

{# The property of an object, as JSON; null if there is none. #}
{% macro json_get(json, name) %}{{ return(adapter.dispatch('json_get', 'tap_crm')(json, name)) }}{% endmacro %}
{% macro default__json_get(json, name) %}({{ json }} -> '{{ name }}'){% endmacro %}
{% macro duckdb__json_get(json, name) %}json_extract({{ json }}, '$."{{ name }}"'){% endmacro %}

{# The property of an object, as text; null if there is none, or if it is empty. #}
{% macro json_text(json, name) %}nullif({{ adapter.dispatch('json_text', 'tap_crm')(json, name) }}, ''){% endmacro %}
{% macro default__json_text(json, name) %}({{ json }} ->> '{{ name }}'){% endmacro %}
{% macro duckdb__json_text(json, name) %}json_extract_string({{ json }}, '$."{{ name }}"'){% endmacro %}

{# A JSON value as text: a text without its quotation marks. #}
{% macro scalar_text(json) %}{{ return(adapter.dispatch('scalar_text', 'tap_crm')(json)) }}{% endmacro %}
{% macro default__scalar_text(json) %}({{ json }} #>> '{}'){% endmacro %}
{% macro duckdb__scalar_text(json) %}json_extract_string({{ json }}, '$'){% endmacro %}

{# The first element of an array as JSON; what is no array stays. #}
{% macro first_element(json) %}{{ return(adapter.dispatch('first_element', 'tap_crm')(json)) }}{% endmacro %}
{% macro default__first_element(json) -%}
case when jsonb_typeof({{ json }}) = 'array' then {{ json }} -> 0 else {{ json }} end
{%- endmacro %}
{% macro duckdb__first_element(json) -%}
case when json_type({{ json }}) = 'ARRAY' then json_extract({{ json }}, '$[0]') else {{ json }} end
{%- endmacro %}

{% macro first_text(json) %}nullif({{ tap_crm.scalar_text(tap_crm.first_element(json)) }}, ''){% endmacro %}

{# A row for each element of an array: <alias>.element as JSON, <alias>.position from 0; none for what is no array. #}
{% macro elements(json, alias) %}{{ return(adapter.dispatch('elements', 'tap_crm')(json, alias)) }}{% endmacro %}
{% macro default__elements(json, alias) -%}
cross join lateral (
    select
        listed.element,
        cast(listed.number - 1 as bigint) as position
    from jsonb_array_elements(
        case when jsonb_typeof({{ json }}) = 'array' then {{ json }} else '[]' end
    ) with ordinality as listed (element, number)
) as {{ alias }}
{%- endmacro %}
{% macro duckdb__elements(json, alias) -%}
cross join lateral (
    select
        json_extract({{ json }}, '$[' || numbers.position || ']') as element,
        numbers.position
    from (
        select unnest(range(cast(coalesce(json_array_length({{ json }}), 0) as bigint))) as position
    ) as numbers
) as {{ alias }}
{%- endmacro %}

{# A row for each property of an object: <alias>.name, <alias>.value as JSON. #}
{% macro pairs(json, alias) %}{{ return(adapter.dispatch('pairs', 'tap_crm')(json, alias)) }}{% endmacro %}
{% macro default__pairs(json, alias) -%}
cross join lateral (
    select
        listed.name,
        listed.value
    from jsonb_each({{ json }}) as listed (name, value)
) as {{ alias }}
{%- endmacro %}
{% macro duckdb__pairs(json, alias) -%}
cross join lateral (
    select
        names.name,
        json_extract({{ json }}, '$."' || names.name || '"') as value
    from (
        select unnest(json_keys({{ json }})) as name
    ) as names
) as {{ alias }}
{%- endmacro %}

{# Whether a JSON value holds nothing: null, '', [] or {}. #}
{% macro is_empty(json) -%}
coalesce({{ tap_crm.scalar_text(json) }} in ('', '[]', '{}'), true)
{%- endmacro %}
