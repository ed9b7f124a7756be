with copper as (
    select
        {{ tap_crm.first_columns('copper', 'companies', tap_crm.copper_url('organization', 'companies'),
            created_at='companies.created_at', updated_at='companies.updated_at') }},
        companies.name,
        companies.email_domain as domain,
        {{ tap_crm.json_text(tap_crm.first_element('companies.websites'), 'url') }} as website,
        contact_types.name as status,
        {{ tap_crm.key('copper', 'companies', 'companies.assignee_id') }} as owner_id,
        {{ tap_crm.json_text('companies.address', 'street') }} as street,
        {{ tap_crm.json_text('companies.address', 'city') }} as city,
        {{ tap_crm.json_text('companies.address', 'state') }} as state,
        {{ tap_crm.json_text('companies.address', 'postal_code') }} as postal_code,
        {{ tap_crm.json_text('companies.address', 'country') }} as country,
        companies.details as description
    from {{ ref('stg_copper__companies') }} as companies
    left join {{ ref('stg_copper__contact_types') }} as contact_types
        on companies.account = contact_types.account
        and companies.contact_type_id = contact_types.source_id
),

-- A lead of Close is a company or a household, with its contacts and deals: a company here.
close as (
    select
        {{ tap_crm.first_columns('close', 'leads', "coalesce(leads.html_url, " ~ tap_crm.close_url('leads.source_id') ~ ")",
            created_at='leads.created_at', updated_at='leads.updated_at') }},
        coalesce(leads.name, leads.display_name) as name,
        cast(null as text) as domain,
        leads.website,
        leads.status_label as status,
        cast(null as text) as owner_id,
        {{ tap_crm.json_text(tap_crm.first_element('leads.addresses'), 'address_1') }} as street,
        {{ tap_crm.json_text(tap_crm.first_element('leads.addresses'), 'city') }} as city,
        {{ tap_crm.json_text(tap_crm.first_element('leads.addresses'), 'state') }} as state,
        {{ tap_crm.json_text(tap_crm.first_element('leads.addresses'), 'zipcode') }} as postal_code,
        {{ tap_crm.json_text(tap_crm.first_element('leads.addresses'), 'country') }} as country,
        leads.description
    from {{ ref('stg_close__leads') }} as leads
),

copera as (
    select
        {{ tap_crm.first_columns('copera', 'companies',
            created_at='companies.created_at', updated_at='companies.updated_at') }},
        companies.name,
        cast(null as text) as domain,
        companies.website,
        companies.status,
        {{ tap_crm.key('copera', 'companies', 'coalesce(' ~ tap_crm.first_text('companies.owner') ~ ', companies.made_by)') }} as owner_id,
        cast(null as text) as street,
        cast(null as text) as city,
        cast(null as text) as state,
        cast(null as text) as postal_code,
        cast(null as text) as country,
        cast(null as text) as description
    from {{ ref('stg_copera__companies') }} as companies
)

select * from copper
union all
select * from close
union all
select * from copera
