with loaded as (
    {{ tap_crm.loaded('copper', 'companies', {
        'source_id': 'text id',
        'name': 'text',
        'email_domain': 'text',
        'contact_type_id': 'text',
        'assignee_id': 'text',
        'address': 'json',
        'websites': 'json',
        'phone_numbers': 'json',
        'tags': 'json',
        'details': 'text',
        'created_at': 'time date_created',
        'updated_at': 'time date_modified',
    }) }}
)

select *
from loaded
