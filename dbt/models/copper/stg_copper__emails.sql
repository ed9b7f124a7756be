with elements as (
    select
        parents.account,
        'person' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        array_of.position,
        array_of.element
    from {{ ref('stg_copper__people') }} as parents
    {{ tap_crm.elements('parents.emails', 'array_of') }}
)

select
    account,
    object,
    parent_id,
    position,
    is_deleted,
    {{ tap_crm.json_text('element', 'email') }} as email,
    {{ tap_crm.json_text('element', 'category') }} as label
from elements
union all
-- A lead has one address, no list of them.
select
    account,
    'lead' as object,
    source_id as parent_id,
    cast(0 as bigint) as position,
    is_deleted,
    {{ tap_crm.json_text('email', 'email') }} as email,
    {{ tap_crm.json_text('email', 'category') }} as label
from {{ ref('stg_copper__leads') }}
where {{ tap_crm.json_text('email', 'email') }} is not null
