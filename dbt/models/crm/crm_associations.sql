{#- What points at what, by the columns of the neutral models: model, object, column, object pointed at, relation. -#}
{%- set columns = [
    ('crm_people', 'person', 'company_id', 'company', 'works_at'),
    ('crm_opportunities', 'opportunity', 'company_id', 'company', 'deal_with'),
    ('crm_opportunities', 'opportunity', 'person_id', 'person', 'deal_with'),
    ('crm_leads', 'lead', 'company_id', 'company', 'works_at'),
    ('crm_leads', 'lead', 'person_id', 'person', 'converted_to'),
    ('crm_leads', 'lead', 'opportunity_id', 'opportunity', 'converted_to'),
    ('crm_tasks', 'task', 'company_id', 'company', 'about'),
    ('crm_tasks', 'task', 'person_id', 'person', 'about'),
    ('crm_tasks', 'task', 'lead_id', 'lead', 'about'),
    ('crm_tasks', 'task', 'opportunity_id', 'opportunity', 'about'),
] -%}
{#- Columns of Copera that link to several rows: all of them, where the models have the first only. -#}
{%- set links = [
    ('people', 'person', 'company', 'company', 'works_at'),
    ('opportunities', 'opportunity', 'company', 'company', 'deal_with'),
    ('opportunities', 'opportunity', 'people', 'person', 'deal_with'),
    ('leads', 'lead', 'company', 'company', 'works_at'),
    ('tasks', 'task', 'company', 'company', 'about'),
    ('tasks', 'task', 'people', 'person', 'about'),
] -%}
with pointed as (
{%- for model, object, column, target, relation in columns %}
    select
        crm,
        account,
        url,
        created_at,
        updated_at,
        is_deleted,
        '{{ object }}' as from_object,
        id as from_id,
        '{{ target }}' as to_object,
        {{ column }} as to_id,
        '{{ relation }}' as relation
    from {{ ref(model) }}
    where {{ column }} is not null
    {{- '\n    union all' if not loop.last }}
{%- endfor %}
),

copera_links as (
{%- for role, object, column, target, relation in links %}
    select
        'copera' as crm,
        linking.account,
        cast(null as text) as url,
        linking.created_at,
        linking.updated_at,
        linking.is_deleted,
        '{{ object }}' as from_object,
        {{ tap_crm.key('copera', 'linking', 'linking.source_id') }} as from_id,
        '{{ target }}' as to_object,
        {{ tap_crm.key('copera', 'linking', tap_crm.scalar_text('link.element')) }} as to_id,
        '{{ relation }}' as relation
    from {{ ref('stg_copera__' ~ role) }} as linking
    {{ tap_crm.elements('linking.' ~ column, 'link') }}
    {{- '\n    union all' if not loop.last }}
{%- endfor %}
),

-- A stream that is off by default: what people related in Copper, once from each end.
copper_related as (
    select
        'copper' as crm,
        items.account,
        cast(null as text) as url,
        cast(null as timestamp) as created_at,
        cast(null as timestamp) as updated_at,
        items.is_deleted,
        {{ tap_crm.object_of('items.parent_type') }} as from_object,
        {{ tap_crm.key('copper', 'items', 'items.parent_id') }} as from_id,
        {{ tap_crm.object_of('items.type') }} as to_object,
        {{ tap_crm.key('copper', 'items', 'items.source_id') }} as to_id,
        'related' as relation
    from {{ ref('stg_copper__related_items') }} as items
),

together as (
    select * from pointed
    union
    select * from copera_links where to_id is not null
    union all
    select * from copper_related
)

select
    crm,
    account,
    relation || ':' || from_object || ':' || from_id || ':' || to_object || ':' || to_id as source_id,
    url,
    created_at,
    updated_at,
    is_deleted,
    cast(null as {{ tap_crm.type_json() }}) as raw,
    relation || ':' || from_object || ':' || from_id || ':' || to_object || ':' || to_id as id,
    from_object,
    from_id,
    to_object,
    to_id,
    relation
from together
