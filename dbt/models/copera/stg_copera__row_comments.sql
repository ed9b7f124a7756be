with loaded as (
    {{ tap_crm.loaded('copera', 'row_comments', {
        'source_id': 'text _id',
        'table_id': 'text table',
        'row_id': 'text row',
        'content': 'text',
        'author': 'json',
        'created_at': 'time createdAt',
        'updated_at': 'time updatedAt',
    }) }}
)

select *
from loaded
