with copper as (
    select
        {{ tap_crm.first_columns('copper', 'people', tap_crm.copper_url('contact', 'people'),
            created_at='people.created_at', updated_at='people.updated_at') }},
        {{ tap_crm.key('copper', 'people', 'people.company_id') }} as company_id,
        {{ tap_crm.key('copper', 'people', 'people.assignee_id') }} as owner_id,
        people.name,
        people.first_name,
        people.last_name,
        people.title,
        {{ tap_crm.json_text(tap_crm.first_element('people.emails'), 'email') }} as email,
        {{ tap_crm.json_text(tap_crm.first_element('people.phone_numbers'), 'number') }} as phone
    from {{ ref('stg_copper__people') }} as people
),

close as (
    select
        {{ tap_crm.first_columns('close', 'contacts', tap_crm.close_url('contacts.lead_id'),
            created_at='contacts.created_at', updated_at='contacts.updated_at') }},
        {{ tap_crm.key('close', 'contacts', 'contacts.lead_id') }} as company_id,
        cast(null as text) as owner_id,
        coalesce(contacts.name, contacts.display_name) as name,
        cast(null as text) as first_name,
        cast(null as text) as last_name,
        contacts.title,
        {{ tap_crm.json_text(tap_crm.first_element('contacts.emails'), 'email') }} as email,
        {{ tap_crm.json_text(tap_crm.first_element('contacts.phones'), 'phone') }} as phone
    from {{ ref('stg_close__contacts') }} as contacts
),

copera as (
    select
        {{ tap_crm.first_columns('copera', 'people',
            created_at='people.created_at', updated_at='people.updated_at') }},
        {{ tap_crm.key('copera', 'people', tap_crm.first_text('people.company')) }} as company_id,
        {{ tap_crm.key('copera', 'people', 'coalesce(' ~ tap_crm.first_text('people.owner') ~ ', people.made_by)') }} as owner_id,
        people.name,
        cast(null as text) as first_name,
        cast(null as text) as last_name,
        people.title,
        people.email,
        people.phone
    from {{ ref('stg_copera__people') }} as people
)

select * from copper
union all
select * from close
union all
select * from copera
