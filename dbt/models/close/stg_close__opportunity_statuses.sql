with loaded as (
    {{ tap_crm.loaded('close', 'opportunity_statuses', {
        'source_id': 'text id',
        'label': 'text',
        'type': 'text',
        'pipeline_id': 'text',
    }) }}
)

select *
from loaded
