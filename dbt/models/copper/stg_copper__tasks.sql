with loaded as (
    {{ tap_crm.loaded('copper', 'tasks', {
        'source_id': 'text id',
        'name': 'text',
        'details': 'text',
        'status': 'text',
        'priority': 'text',
        'assignee_id': 'text',
        'related_resource': 'json',
        'due_at': 'time due_date',
        'completed_at': 'time completed_date',
        'tags': 'json',
        'created_at': 'time date_created',
        'updated_at': 'time date_modified',
    }) }}
)

select *
from loaded
