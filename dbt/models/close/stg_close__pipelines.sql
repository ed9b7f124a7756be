with loaded as (
    {{ tap_crm.loaded('close', 'pipelines', {
        'source_id': 'text id',
        'name': 'text',
        'statuses': 'json',
        'created_by': 'text',
        'created_at': 'time date_created',
        'updated_at': 'time date_updated',
    }) }}
)

select *
from loaded
