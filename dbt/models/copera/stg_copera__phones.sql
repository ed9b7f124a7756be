select
    account,
    'company' as object,
    source_id as parent_id,
    cast(0 as bigint) as position,
    is_deleted,
    phone as phone,
    cast(null as text) as label
from {{ ref('stg_copera__companies') }}
where phone is not null
union all
select
    account,
    'person' as object,
    source_id as parent_id,
    cast(0 as bigint) as position,
    is_deleted,
    phone as phone,
    cast(null as text) as label
from {{ ref('stg_copera__people') }}
where phone is not null
union all
select
    account,
    'lead' as object,
    source_id as parent_id,
    cast(0 as bigint) as position,
    is_deleted,
    phone as phone,
    cast(null as text) as label
from {{ ref('stg_copera__leads') }}
where phone is not null
