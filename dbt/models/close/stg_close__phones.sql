with elements as (
    select
        parents.account,
        'person' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        array_of.position,
        array_of.element
    from {{ ref('stg_close__contacts') }} as parents
    {{ tap_crm.elements('parents.phones', 'array_of') }}
)

select
    account,
    object,
    parent_id,
    position,
    is_deleted,
    {{ tap_crm.json_text('element', 'phone') }} as phone,
    {{ tap_crm.json_text('element', 'type') }} as label
from elements
