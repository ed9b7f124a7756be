with copper as (
    select
        {{ tap_crm.first_columns('copper', 'activities',
            created_at='activities.created_at', updated_at='activities.updated_at') }},
        case
            when {{ tap_crm.json_text('activities.type', 'category') }} = 'system' then
                case
                    when {{ tap_crm.json_text('activities.type', 'id') }} in ('1', '3') then 'change'
                    when lower(types.name) = 'email' then 'email'
                    else 'other'
                end
            when {{ tap_crm.json_text('activities.type', 'id') }} = '0' then 'note'
            when lower(types.name) like '%call%' then 'call'
            when lower(types.name) like '%meeting%' then 'meeting'
            when lower(types.name) like '%email%' then 'email'
            else 'custom'
        end as kind,
        types.name as kind_label,
        activities.occurred_at,
        cast(null as text) as direction,
        cast(null as text) as subject,
        activities.details as body,
        cast(null as bigint) as duration_seconds,
        {{ tap_crm.key('copper', 'activities', 'activities.user_id') }} as user_id,
        {{ tap_crm.json_text('activities.parent', 'type') }} as related_object,
        {{ tap_crm.key('copper', 'activities', tap_crm.json_text('activities.parent', 'id')) }} as related_id,
        cast(null as text) as company_of_lead,
        cast(null as text) as person_of_lead,
        cast(null as text) as opportunity_of_lead
    from {{ ref('stg_copper__activities') }} as activities
    left join {{ ref('stg_copper__activity_types') }} as types
        on activities.account = types.account
        and {{ tap_crm.json_text('activities.type', 'id') }} = types.source_id
        and {{ tap_crm.json_text('activities.type', 'category') }} = types.category
),

close as (
    select
        {{ tap_crm.first_columns('close', 'activities', tap_crm.close_url('activities.lead_id'),
            created_at='activities.created_at', updated_at='activities.updated_at') }},
        case activities.stream
            when 'emails' then 'email'
            when 'calls' then 'call'
            when 'sms' then 'sms'
            when 'whatsapp_messages' then 'whatsapp'
            when 'meetings' then 'meeting'
            when 'notes' then 'note'
            when 'custom_activities' then 'custom'
            when 'form_submissions' then 'form'
            when 'lead_status_changes' then 'change'
            when 'opportunity_status_changes' then 'change'
            else 'other'
        end as kind,
        activities.type as kind_label,
        coalesce(activities.activity_at, activities.created_at) as occurred_at,
        case activities.direction
            when 'incoming' then 'inbound'
            when 'outgoing' then 'outbound'
            else activities.direction
        end as direction,
        activities.subject,
        activities.body,
        activities.duration as duration_seconds,
        {{ tap_crm.key('close', 'activities', 'activities.user_id') }} as user_id,
        cast(null as text) as related_object,
        cast(null as text) as related_id,
        {{ tap_crm.key('close', 'activities', 'activities.lead_id') }} as company_of_lead,
        {{ tap_crm.key('close', 'activities', 'activities.contact_id') }} as person_of_lead,
        {{ tap_crm.key('close', 'activities', 'activities.opportunity_id') }} as opportunity_of_lead
    from {{ ref('stg_close__activities') }} as activities
),

-- Comments on rows: a stream that is off by default.
copera as (
    select
        {{ tap_crm.first_columns('copera', 'comments',
            created_at='comments.created_at', updated_at='comments.updated_at') }},
        'note' as kind,
        'comment' as kind_label,
        comments.created_at as occurred_at,
        cast(null as text) as direction,
        cast(null as text) as subject,
        comments.content as body,
        cast(null as bigint) as duration_seconds,
        {{ tap_crm.key('copera', 'comments', tap_crm.json_text('comments.author', '_id')) }} as user_id,
        {{ tap_crm.copera_object('tables.stream') }} as related_object,
        {{ tap_crm.key('copera', 'comments', 'comments.row_id') }} as related_id,
        cast(null as text) as company_of_lead,
        cast(null as text) as person_of_lead,
        cast(null as text) as opportunity_of_lead
    from {{ ref('stg_copera__row_comments') }} as comments
    left join (
        select distinct
            account,
            table_id,
            stream
        from {{ ref('stg_copera__custom_fields') }}
    ) as tables
        on comments.account = tables.account
        and comments.table_id = tables.table_id
),

together as (
    select * from copper
    union all
    select * from close
    union all
    select * from copera
)

select
    crm,
    account,
    source_id,
    url,
    created_at,
    updated_at,
    is_deleted,
    raw,
    id,
    kind,
    kind_label,
    occurred_at,
    direction,
    subject,
    body,
    duration_seconds,
    user_id,
    case when related_object = 'company' then related_id else company_of_lead end as company_id,
    case when related_object = 'person' then related_id else person_of_lead end as person_id,
    case when related_object = 'lead' then related_id end as lead_id,
    case when related_object = 'opportunity' then related_id else opportunity_of_lead end as opportunity_id
from together
