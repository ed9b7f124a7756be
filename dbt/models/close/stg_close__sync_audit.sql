with loaded as (
    {{ tap_crm.loaded('close', 'sync_audit', {
        'run_id': 'text',
        'stream': 'text',
        'mode': 'text',
        'records': 'integer',
        'distinct_ids': 'integer',
        'source_total': 'integer',
        'unexplained': 'integer',
        'requests': 'integer',
        'complete': 'boolean',
        'error': 'text',
        'whole_since': 'time',
        'started_at': 'time started',
        'finished_at': 'time finished',
    }) }}
)

select *
from loaded
