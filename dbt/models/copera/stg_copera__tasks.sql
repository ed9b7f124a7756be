with loaded as (
    {{ tap_crm.copera_rows('tasks', {
        'name': 'text',
        'status': 'text',
        'done': 'boolean',
        'due': 'text',
        'company': 'json',
        'people': 'json',
        'owner': 'json',
        'tags': 'json',
    }) }}
)

select *
from loaded
