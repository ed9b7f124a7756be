with copper as (
    select
        {{ tap_crm.first_columns('copper', 'tasks',
            created_at='tasks.created_at', updated_at='tasks.updated_at') }},
        tasks.name,
        tasks.details as description,
        'task' as kind,
        case lower(tasks.status) when 'completed' then 'completed' else 'open' end as status,
        cast(tasks.due_at as date) as due_date,
        tasks.due_at,
        tasks.completed_at,
        {{ tap_crm.key('copper', 'tasks', 'tasks.assignee_id') }} as owner_id,
        {{ tap_crm.json_text('tasks.related_resource', 'type') }} as related_object,
        {{ tap_crm.key('copper', 'tasks', tap_crm.json_text('tasks.related_resource', 'id')) }} as related_id
    from {{ ref('stg_copper__tasks') }} as tasks
),

close as (
    select
        {{ tap_crm.first_columns('close', 'tasks', tap_crm.close_url('tasks.lead_id'),
            created_at='tasks.created_at', updated_at='tasks.updated_at') }},
        coalesce(tasks.body, tasks.subject) as name,
        tasks.body_preview as description,
        case tasks.type when 'lead' then 'task' else tasks.type end as kind,
        case when tasks.is_complete then 'completed' else 'open' end as status,
        {{ tap_crm.as_day('tasks.date', 'text') }} as due_date,
        case when length(tasks.date) > 10 then {{ tap_crm.as_time('tasks.date', 'text') }} end as due_at,
        cast(null as timestamp) as completed_at,
        {{ tap_crm.key('close', 'tasks', 'tasks.assigned_to') }} as owner_id,
        case when tasks.lead_id is not null then 'company' end as related_object,
        {{ tap_crm.key('close', 'tasks', 'tasks.lead_id') }} as related_id
    from {{ ref('stg_close__tasks') }} as tasks
),

copera as (
    select
        {{ tap_crm.first_columns('copera', 'tasks',
            created_at='tasks.created_at', updated_at='tasks.updated_at') }},
        tasks.name,
        cast(null as text) as description,
        'task' as kind,
        case when coalesce(tasks.done, false) then 'completed' else 'open' end as status,
        {{ tap_crm.as_day('tasks.due', 'text') }} as due_date,
        case when length(tasks.due) > 10 then {{ tap_crm.as_time('tasks.due', 'text') }} end as due_at,
        cast(null as timestamp) as completed_at,
        {{ tap_crm.key('copera', 'tasks', 'coalesce(' ~ tap_crm.first_text('tasks.owner') ~ ', tasks.made_by)') }} as owner_id,
        case
            when {{ tap_crm.first_text('tasks.people') }} is not null then 'person'
            when {{ tap_crm.first_text('tasks.company') }} is not null then 'company'
        end as related_object,
        {{ tap_crm.key('copera', 'tasks',
            'coalesce(' ~ tap_crm.first_text('tasks.people') ~ ', ' ~ tap_crm.first_text('tasks.company') ~ ')') }} as related_id
    from {{ ref('stg_copera__tasks') }} as tasks
),

together as (
    select * from copper
    union all
    select * from close
    union all
    select * from copera
)

select
    together.*,
{%- for object in ('company', 'person', 'lead', 'opportunity') %}
    case when together.related_object = '{{ object }}' then together.related_id end as {{ object }}_id{{ ',' if not loop.last }}
{%- endfor %}
from together
