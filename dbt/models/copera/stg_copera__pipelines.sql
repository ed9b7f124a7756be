with loaded as (
    {{ tap_crm.loaded('copera', 'pipelines', {
        'source_id': 'text columnId',
        'table_id': 'text table',
        'table_name': 'text',
        'name': 'text',
        'stream': 'text',
        'stages': 'json',
    }) }}
)

select *
from loaded
