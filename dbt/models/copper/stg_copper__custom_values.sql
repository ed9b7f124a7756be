with pairs as (
    select
        parents.account,
        'person' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_copper__people') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
    union all
    select
        parents.account,
        'company' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_copper__companies') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
    union all
    select
        parents.account,
        'lead' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_copper__leads') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
    union all
    select
        parents.account,
        'opportunity' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_copper__opportunities') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
    union all
    select
        parents.account,
        'task' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_copper__tasks') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
)

select
    account,
    object,
    parent_id,
    is_deleted,
    column_name,
    value
from pairs
where column_name like 'custom\_%' escape '\'
    and column_name not in ('custom_fields', 'custom_activity_type_id')
    and not {{ tap_crm.is_empty('value') }}
