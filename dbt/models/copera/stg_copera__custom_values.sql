with pairs as (
    select
        parents.account,
        'company' as object,
        parents.source_id as parent_id,
        parents.table_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_copera__companies') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
    union all
    select
        parents.account,
        'person' as object,
        parents.source_id as parent_id,
        parents.table_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_copera__people') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
    union all
    select
        parents.account,
        'lead' as object,
        parents.source_id as parent_id,
        parents.table_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_copera__leads') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
    union all
    select
        parents.account,
        'opportunity' as object,
        parents.source_id as parent_id,
        parents.table_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_copera__opportunities') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
    union all
    select
        parents.account,
        'task' as object,
        parents.source_id as parent_id,
        parents.table_id,
        parents.is_deleted,
        pair.name as column_name,
        pair.value
    from {{ ref('stg_copera__tasks') }} as parents
    {{ tap_crm.pairs('parents.raw', 'pair') }}
)

select
    pairs.account,
    pairs.object,
    pairs.parent_id,
    pairs.is_deleted,
    fields.field as column_name,
    pairs.value,
    fields.source_id as definition_id
from pairs
inner join {{ ref('stg_copera__custom_fields') }} as fields
    on pairs.account = fields.account
    and pairs.table_id = fields.table_id
    and lower(pairs.column_name) = lower(fields.field)
where not {{ tap_crm.is_empty('pairs.value') }}
