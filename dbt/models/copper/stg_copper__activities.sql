with loaded as (
    {{ tap_crm.loaded('copper', 'activities', {
        'source_id': 'text id',
        'type': 'json',
        'parent': 'json',
        'user_id': 'text',
        'details': 'text',
        'occurred_at': 'time activity_date',
        'created_at': 'time date_created',
        'updated_at': 'time date_modified',
    }) }}
)

select *
from loaded
