select
    'copper' as crm,
    account,
    object,
    {{ tap_crm.key('copper', 'items', 'items.parent_id') }} as parent_id,
    position,
    tag,
    is_deleted
from {{ ref('stg_copper__tags') }} as items
union all
select
    'copera' as crm,
    account,
    object,
    {{ tap_crm.key('copera', 'items', 'items.parent_id') }} as parent_id,
    position,
    tag,
    is_deleted
from {{ ref('stg_copera__tags') }} as items
