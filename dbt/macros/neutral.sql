{#
The columns that all neutral models begin with, then `id`, the key of a row over all CRMs and accounts.

    crm: copper, close or copera
    of: the alias of the staged rows
    url: SQL for the address of the record in the CRM's own pages
    source_id, created_at, updated_at: SQL, where they are not the columns of this name
#}
{% macro first_columns(crm, of, url=none, source_id=none, created_at=none, updated_at=none) -%}
{%- set source_id = source_id or of ~ '.source_id' -%}
        cast('{{ crm }}' as text) as crm,
        {{ of }}.account,
        {{ source_id }} as source_id,
        cast({{ url or 'null' }} as text) as url,
        cast({{ created_at or 'null' }} as timestamp) as created_at,
        cast({{ updated_at or 'null' }} as timestamp) as updated_at,
        {{ of }}.is_deleted,
        {{ of }}.raw,
        {{ tap_crm.key(crm, of, source_id) }} as id
{%- endmacro %}

{# The `id` of the record of an account that has a number or word in its CRM; null for none. #}
{% macro key(crm, of, source_id) -%}
'{{ crm }}:' || {{ of }}.account || ':' || {{ source_id }}
{%- endmacro %}

{# The page of a record in Copper; `part` is what its pages call such a record. #}
{% macro copper_url(part, of) -%}
'https://app.copper.com/companies/' || {{ of }}.account || '/app#/{{ part }}/' || {{ of }}.source_id
{%- endmacro %}

{# The page of a lead in Close, which shows all that belongs to it. #}
{% macro close_url(lead_id) -%}
'https://app.close.com/lead/' || {{ lead_id }} || '/'
{%- endmacro %}

{# An amount of Close, which is in the smallest unit of its currency, in whole ones. #}
{% macro close_money(amount, currency) -%}
cast(
            cast({{ amount }} as numeric(28, 4)) / case {{ currency }}
            {%- for code, digits in var('close_minor_digits').items() %}
                when '{{ code }}' then {{ 10 ** digits }}
            {%- endfor %}
                else 100
            end as numeric(28, 4)
        )
{%- endmacro %}

{# What a kind of record is called here, by the CRM's own word for it. #}
{% macro object_of(word) -%}
case lower({{ word }})
            when 'people' then 'person'
            when 'contact' then 'person'
            when 'companies' then 'company'
            when 'leads' then 'lead'
            when 'opportunities' then 'opportunity'
            when 'projects' then 'project'
            when 'tasks' then 'task'
            when 'custom_object_type' then 'custom_object'
            when 'custom_activity_type' then 'activity'
            else lower({{ word }})
        end
{%- endmacro %}
{# The same for Close, whose lead is a company. #}
{% macro close_object_of(word) -%}
case when lower({{ word }}) = 'lead' then 'company' else {{ tap_crm.object_of(word) }} end
{%- endmacro %}
