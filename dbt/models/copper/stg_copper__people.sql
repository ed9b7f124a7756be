with loaded as (
    {{ tap_crm.loaded('copper', 'people', {
        'source_id': 'text id',
        'name': 'text',
        'first_name': 'text',
        'last_name': 'text',
        'title': 'text',
        'company_id': 'text',
        'assignee_id': 'text',
        'contact_type_id': 'text',
        'emails': 'json',
        'phone_numbers': 'json',
        'tags': 'json',
        'created_at': 'time date_created',
        'updated_at': 'time date_modified',
    }) }}
)

select *
from loaded
