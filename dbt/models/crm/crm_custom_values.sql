-- A row for each value. Which definition it is of, Copper's and Close's columns tell by their names, where these are
-- plain ASCII; where they do not, definition_id is null.
with definitions as (
    select
        crm,
        account,
        object,
        definition_id,
        {{ tap_crm.as_column_name('name') }} as column_part
    from {{ ref('crm_custom_fields') }}
    where crm in ('copper', 'close')
        and not is_deleted
),

named as (
    select
        crm,
        account,
        object,
        definition_id,
        'custom_' || column_part as column_name
    from definitions
    union all
    select
        crm,
        account,
        object,
        definition_id,
        'custom_' || column_part || '_' || lower(right(definition_id, 6)) as column_name
    from definitions
    union all
    select
        crm,
        account,
        object,
        definition_id,
        'custom_' || lower(definition_id) as column_name
    from definitions
),

-- A name that two definitions could have had is nobody's.
known as (
    select
        crm,
        account,
        object,
        column_name,
        min(definition_id) as definition_id
    from named
    where column_name is not null
    group by crm, account, object, column_name
    having count(distinct definition_id) = 1
),

named_values as (
{%- for crm in ('copper', 'close') %}
    select
        '{{ crm }}' as crm,
        items.account,
        items.object,
        {{ tap_crm.key(crm, 'items', 'items.parent_id') }} as parent_id,
        items.column_name,
        items.value,
        items.is_deleted
    from {{ ref('stg_' ~ crm ~ '__custom_values') }} as items
    {{- '\n    union all' if not loop.last }}
{%- endfor %}
)

select
    named_values.crm,
    named_values.account,
    named_values.object,
    named_values.parent_id,
    named_values.column_name,
    known.definition_id,
    named_values.value,
    {{ tap_crm.scalar_text('named_values.value') }} as value_text,
    named_values.is_deleted
from named_values
left join known
    on named_values.crm = known.crm
    and named_values.account = known.account
    and named_values.object = known.object
    and named_values.column_name = known.column_name
union all
select
    'copera' as crm,
    items.account,
    items.object,
    {{ tap_crm.key('copera', 'items', 'items.parent_id') }} as parent_id,
    items.column_name,
    items.definition_id,
    items.value,
    {{ tap_crm.scalar_text('items.value') }} as value_text,
    items.is_deleted
from {{ ref('stg_copera__custom_values') }} as items
