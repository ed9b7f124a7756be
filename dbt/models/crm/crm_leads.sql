-- People who may become customers. Close has none: its leads are companies, in crm_companies.
with copper as (
    select
        {{ tap_crm.first_columns('copper', 'leads', tap_crm.copper_url('lead', 'leads'),
            created_at='leads.created_at', updated_at='leads.updated_at') }},
        {{ tap_crm.key('copper', 'leads', 'leads.assignee_id') }} as owner_id,
        leads.name,
        leads.title,
        leads.company_name,
        cast(null as text) as company_id,
        {{ tap_crm.json_text('leads.email', 'email') }} as email,
        {{ tap_crm.json_text(tap_crm.first_element('leads.phone_numbers'), 'number') }} as phone,
        leads.status,
        leads.converted_at is not null as is_converted,
        leads.converted_at,
        {{ tap_crm.key('copper', 'leads', 'leads.converted_contact_id') }} as person_id,
        {{ tap_crm.key('copper', 'leads', 'leads.converted_opportunity_id') }} as opportunity_id,
        leads.monetary_value as amount,
        leads.monetary_unit as currency
    from {{ ref('stg_copper__leads') }} as leads
),

copera as (
    select
        {{ tap_crm.first_columns('copera', 'leads',
            created_at='leads.created_at', updated_at='leads.updated_at') }},
        {{ tap_crm.key('copera', 'leads', 'coalesce(' ~ tap_crm.first_text('leads.owner') ~ ', leads.made_by)') }} as owner_id,
        leads.name,
        cast(null as text) as title,
        {{ tap_crm.first_text('leads.company_name') }} as company_name,
        {{ tap_crm.key('copera', 'leads', tap_crm.first_text('leads.company')) }} as company_id,
        leads.email,
        leads.phone,
        leads.status,
        false as is_converted,
        cast(null as timestamp) as converted_at,
        cast(null as text) as person_id,
        cast(null as text) as opportunity_id,
        leads.amount,
        cast({{ "'" ~ var('copera_currency') ~ "'" if var('copera_currency') else 'null' }} as text) as currency
    from {{ ref('stg_copera__leads') }} as leads
)

select * from copper
union all
select * from copera
