{#
The rows of the table that holds the objects of a kind: the variable `copera_streams` says which stream that is, and
`copera_columns` which of its columns is what. `stage_column` is the name of the one that has the stage.
#}
{% macro copera_rows(role, kinds) -%}
{%- set columns = {
    'source_id': 'text _id', 'table_id': 'text table', 'made_by': 'text owner',
    'created_at': 'time createdAt', 'updated_at': 'time updatedAt',
} -%}
{%- for name, kind in kinds.items() -%}
    {%- do columns.update({name: [kind] + var('copera_columns').get(role, {}).get(name, [])}) -%}
{%- endfor -%}
{%- if 'stage' in kinds -%}
    {%- do columns.update({'stage_column': ['name'] + var('copera_columns').get(role, {}).get('stage', [])}) -%}
{%- endif -%}
{{ tap_crm.loaded('copera', role, columns) }}
{%- endmacro %}

{# What a stream holds: company, person, lead, opportunity, task; else `row`. #}
{% macro copera_object(stream) -%}
case {{ stream }}
{%- for role, object in {
    'companies': 'company', 'people': 'person', 'leads': 'lead', 'opportunities': 'opportunity', 'tasks': 'task',
}.items() %}
    when '{{ var('copera_streams').get(role, role) }}' then '{{ object }}'
{%- endfor %}
    else 'row'
end
{%- endmacro %}

{# How a stage ended, by its group and its label: `closed` where the label tells neither won nor lost. #}
{% macro copera_status(stage_group, label) -%}
case
    when {{ tap_crm.matches('lower(' ~ label ~ ')', var('copera_lost')) }} then 'lost'
    when {{ tap_crm.matches('lower(' ~ label ~ ')', var('copera_won')) }} then 'won'
    when {{ stage_group }} = 'DONE' then 'closed'
    else 'open'
end
{%- endmacro %}
