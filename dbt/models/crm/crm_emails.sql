select
    'copper' as crm,
    account,
    object,
    {{ tap_crm.key('copper', 'items', 'items.parent_id') }} as parent_id,
    position,
    email,
    label,
    is_deleted
from {{ ref('stg_copper__emails') }} as items
union all
select
    'close' as crm,
    account,
    object,
    {{ tap_crm.key('close', 'items', 'items.parent_id') }} as parent_id,
    position,
    email,
    label,
    is_deleted
from {{ ref('stg_close__emails') }} as items
union all
select
    'copera' as crm,
    account,
    object,
    {{ tap_crm.key('copera', 'items', 'items.parent_id') }} as parent_id,
    position,
    email,
    label,
    is_deleted
from {{ ref('stg_copera__emails') }} as items
