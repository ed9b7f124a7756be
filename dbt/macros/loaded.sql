{#
The rows of a stream, of all accounts that are loaded: a typed column for each that is named, whatever the loader has
made of it, and null where the table lacks it. A stream that is not loaded has no rows.

    crm: copper, close or copera
    stream: the source's table
    columns: for each column of the result, its kind, and the name of the loaded column where it is another one;
        as a list, a kind and regular expressions of which the first that fits a column counts

Kinds are text, integer, number, money, boolean, time (in UTC), day and json; `name` is the name of the loaded column, in
lower case. Before them are `account`,
`is_deleted` (a deletion was told, or the last complete read did not find the row), `extracted_at` and `raw`.
#}
{% macro loaded(crm, stream, columns) -%}
{%- set declared = source(crm, stream) -%}
{%- set selects = [] -%}
{%- for schema in var(crm ~ '_schemas') -%}
    {%- set relation = tap_crm.relation_of(declared, schema, declared.identifier) -%}
    {%- if relation is not none -%}
        {%- do selects.append(tap_crm.loaded_of(crm, declared, schema, relation, columns)) -%}
    {%- endif -%}
{%- endfor -%}
{%- if selects -%}
{{ selects | join('\n    union all\n    ') }}
{%- else -%}
select
        cast(null as text) as account,
        cast(null as boolean) as is_deleted,
        cast(null as timestamp) as extracted_at,
        cast(null as {{ tap_crm.type_json() }}) as raw
    {%- for name, wanted in columns.items() %},
        {{ tap_crm.typed(tap_crm.kind_of(wanted), none) }} as {{ name }}
    {%- endfor %}
    where false
{%- endif -%}
{%- endmacro %}

{# The relation, if it is there; none while dbt only parses. #}
{% macro relation_of(declared, schema, identifier) -%}
{%- if execute -%}
    {{ return(adapter.get_relation(database=declared.database, schema=schema, identifier=identifier)) }}
{%- endif -%}
{{ return(none) }}
{%- endmacro %}

{# The columns of a relation by their names in lower case: some loaders keep capitals, some do not. #}
{% macro columns_of(relation) -%}
{%- set found = {} -%}
{%- for column in adapter.get_columns_in_relation(relation) -%}
    {%- do found.update({column.name | lower: column}) -%}
{%- endfor -%}
{{ return(found) }}
{%- endmacro %}

{% macro loaded_of(crm, declared, schema, relation, columns) -%}
{%- set present = tap_crm.columns_of(relation) -%}
select
        {{ tap_crm.account_of(crm, declared, schema, present) }} as account,
        {{ tap_crm.deleted_of(declared, schema, relation, present) }} as is_deleted,
        {{ tap_crm.typed('time', present.get('_sdc_extracted_at')) }} as extracted_at,
        {{ tap_crm.row_as_json('loaded') }} as raw
    {%- for name, wanted in columns.items() %},
        {{ tap_crm.typed(tap_crm.kind_of(wanted), tap_crm.column_for(name, wanted, present)) }} as {{ name }}
    {%- endfor %}
    from {{ relation }} as loaded
{%- endmacro %}

{% macro kind_of(wanted) -%}
{{ return(wanted.split(' ')[0] if wanted is string else wanted[0]) }}
{%- endmacro %}

{# The loaded column that is wanted; none if there is none. #}
{% macro column_for(name, wanted, present) -%}
{%- if wanted is string -%}
    {{ return(present.get((wanted.split(' ') + [name])[1] | lower)) }}
{%- endif -%}
{%- for pattern in wanted[1:] -%}
    {%- for candidate in present | sort -%}
        {%- if modules.re.fullmatch(pattern, candidate) and tap_crm.fits(wanted[0], present[candidate].data_type | lower) -%}
            {{ return(present[candidate]) }}
        {%- endif -%}
    {%- endfor -%}
{%- endfor -%}
{{ return(none) }}
{%- endmacro %}

{# Whether a column of a type can be of a kind: what a pattern finds may be anything. #}
{% macro fits(kind, type) -%}
{%- if kind in ('number', 'money', 'integer') -%}
    {{ return(modules.re.match('(numeric|decimal|double|float|real|.*int)', type) is not none) }}
{%- elif kind == 'boolean' -%}
    {{ return(type == 'boolean') }}
{%- elif kind in ('text', 'name', 'day', 'time') -%}
    {{ return(not (type in ('array', 'json', 'jsonb') or type.endswith('[]'))) }}
{%- endif -%}
{{ return(true) }}
{%- endmacro %}

{# A column of an alias in one of the kinds; null where there is no such column. #}
{% macro typed(kind, column, alias='loaded') -%}
{%- set types = {
    'text': 'text', 'name': 'text', 'integer': 'bigint', 'number': 'double precision', 'money': 'numeric(28, 4)',
    'boolean': 'boolean', 'time': 'timestamp', 'day': 'date', 'json': tap_crm.type_json(),
} -%}
{%- if column is none -%}
    cast(null as {{ types[kind] }})
{%- else -%}
    {%- set expression = alias ~ '.' ~ adapter.quote(column.name) -%}
    {%- if kind == 'time' -%}
        {{ tap_crm.as_time(expression, column.data_type | lower) }}
    {%- elif kind == 'day' -%}
        {{ tap_crm.as_day(expression, column.data_type | lower) }}
    {%- elif kind == 'json' -%}
        {%- if tap_crm.is_text(column.data_type | lower) %}
        {{ tap_crm.text_as_json(expression) }}
        {%- else %}
        {{ tap_crm.as_json(expression) }}
        {%- endif %}
    {%- elif kind == 'name' -%}
        cast('{{ column.name | lower }}' as text)
    {%- elif kind == 'text' -%}
        nullif(cast({{ expression }} as text), '')
    {%- else -%}
        cast({{ expression }} as {{ types[kind] }})
    {%- endif -%}
{%- endif -%}
{%- endmacro %}

{#
The account's id as text: of the row, where the variable `account_column` names the column that the tap's setting of this
name made, and the table has it; else by the stream of the account, and without that stream, the name of the schema.
#}
{% macro account_of(crm, declared, schema, present) -%}
{%- set own = tap_crm.account_column_in(present) -%}
{%- if own is not none -%}
    {{ return('cast(loaded.' ~ adapter.quote(own.name) ~ ' as text)') }}
{%- endif -%}
{%- set streams = {
    'copper': ['account', 'id'], 'close': ['organization', 'id'], 'copera': ['workspace', '_id'],
} -%}
{%- set stream, key = streams[crm] -%}
{%- set relation = tap_crm.relation_of(declared, schema, stream) -%}
{%- if relation is none -%}
    cast('{{ schema }}' as text)
{%- else -%}
    coalesce((select max(cast(one.{{ adapter.quote(key) }} as text)) from {{ relation }} as one), '{{ schema }}')
{%- endif -%}
{%- endmacro %}

{# The column of the account; none where tables have none. #}
{% macro account_column_in(present) -%}
{{ return(present.get(var('account_column') | lower) if var('account_column') else none) }}
{%- endmacro %}

{# Whether a row is gone. Loaders that heed ACTIVATE_VERSION mark it; for others, the audit says since when all is written. #}
{% macro deleted_of(declared, schema, relation, present) -%}
{%- set audit = tap_crm.relation_of(declared, schema, 'sync_audit') -%}
{%- set conditions = [] -%}
{%- if present.get('_sdc_deleted_at') is not none -%}
    {%- do conditions.append('loaded._sdc_deleted_at is not null') -%}
{%- endif -%}
{%- if audit is not none and present.get('_sdc_extracted_at') is not none -%}
    {%- set whole_since = tap_crm.columns_of(audit).get('whole_since') -%}
    {%- if whole_since is not none -%}
        {#- Of several accounts in the same tables, each row is held against the runs of its own. -#}
        {%- set mine, theirs = tap_crm.account_column_in(present), tap_crm.account_column_in(tap_crm.columns_of(audit)) -%}
        {%- set same = '' -%}
        {%- if mine is not none and theirs is not none -%}
            {%- set same = ' and runs.' ~ adapter.quote(theirs.name) ~ ' = loaded.' ~ adapter.quote(mine.name) -%}
        {%- endif -%}
        {%- do conditions.append(
            'coalesce(' ~ tap_crm.typed('time', present['_sdc_extracted_at']) ~ ' < (select max('
            ~ tap_crm.typed('time', whole_since, 'runs') ~ ') from ' ~ audit ~ " as runs where runs.stream = '"
            ~ relation.identifier ~ "' and runs.complete" ~ same ~ '), false)'
        ) -%}
    {%- endif -%}
{%- endif -%}
{{ conditions | join(' or ') if conditions else 'false' }}
{%- endmacro %}
