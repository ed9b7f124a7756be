with elements as (
    select
        parents.account,
        'company' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        array_of.position,
        array_of.element
    from {{ ref('stg_copera__companies') }} as parents
    {{ tap_crm.elements('parents.tags', 'array_of') }}
    union all
    select
        parents.account,
        'person' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        array_of.position,
        array_of.element
    from {{ ref('stg_copera__people') }} as parents
    {{ tap_crm.elements('parents.tags', 'array_of') }}
    union all
    select
        parents.account,
        'lead' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        array_of.position,
        array_of.element
    from {{ ref('stg_copera__leads') }} as parents
    {{ tap_crm.elements('parents.tags', 'array_of') }}
    union all
    select
        parents.account,
        'opportunity' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        array_of.position,
        array_of.element
    from {{ ref('stg_copera__opportunities') }} as parents
    {{ tap_crm.elements('parents.tags', 'array_of') }}
    union all
    select
        parents.account,
        'task' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        array_of.position,
        array_of.element
    from {{ ref('stg_copera__tasks') }} as parents
    {{ tap_crm.elements('parents.tags', 'array_of') }}
)

select
    account,
    object,
    parent_id,
    position,
    is_deleted,
    nullif({{ tap_crm.scalar_text('element') }}, '') as tag
from elements
