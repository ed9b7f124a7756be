with loaded as (
    {{ tap_crm.loaded('close', 'custom_fields', {
        'source_id': 'text id',
        'object_type': 'text',
        'name': 'text',
        'type': 'text',
        'choices': 'json',
        'associations': 'json',
        'custom_activity_type_id': 'text',
        'custom_object_type_id': 'text',
        'created_by': 'text',
        'created_at': 'time date_created',
        'updated_at': 'time date_updated',
    }) }}
)

select *
from loaded
