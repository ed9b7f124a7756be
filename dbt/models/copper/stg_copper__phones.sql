with elements as (
    select
        parents.account,
        'person' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        array_of.position,
        array_of.element
    from {{ ref('stg_copper__people') }} as parents
    {{ tap_crm.elements('parents.phone_numbers', 'array_of') }}
    union all
    select
        parents.account,
        'company' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        array_of.position,
        array_of.element
    from {{ ref('stg_copper__companies') }} as parents
    {{ tap_crm.elements('parents.phone_numbers', 'array_of') }}
    union all
    select
        parents.account,
        'lead' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        array_of.position,
        array_of.element
    from {{ ref('stg_copper__leads') }} as parents
    {{ tap_crm.elements('parents.phone_numbers', 'array_of') }}
)

select
    account,
    object,
    parent_id,
    position,
    is_deleted,
    {{ tap_crm.json_text('element', 'number') }} as phone,
    {{ tap_crm.json_text('element', 'category') }} as label
from elements
