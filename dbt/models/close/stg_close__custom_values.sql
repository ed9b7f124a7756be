with pairs as (
    select
        parents.account,
        'company' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_close__leads') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
    union all
    select
        parents.account,
        'person' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_close__contacts') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
    union all
    select
        parents.account,
        'opportunity' as object,
        parents.source_id as parent_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_close__opportunities') }} as parents
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
    and column_name <> 'custom_fields'
    and not {{ tap_crm.is_empty('value') }}
