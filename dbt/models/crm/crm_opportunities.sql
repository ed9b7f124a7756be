with copper as (
    select
        {{ tap_crm.first_columns('copper', 'deals', tap_crm.copper_url('deal', 'deals'),
            created_at='deals.created_at', updated_at='deals.updated_at') }},
        deals.name,
        {{ tap_crm.key('copper', 'deals', 'deals.company_id') }} as company_id,
        {{ tap_crm.key('copper', 'deals', 'deals.primary_contact_id') }} as person_id,
        {{ tap_crm.key('copper', 'deals', 'deals.assignee_id') }} as owner_id,
        {{ tap_crm.key('copper', 'deals', 'deals.pipeline_id') }} as pipeline_id,
        {{ tap_crm.key('copper', 'deals', 'deals.pipeline_stage_id') }} as stage_id,
        lower(deals.status) as status,
        deals.status as status_label,
        deals.monetary_value as amount,
        deals.monetary_unit as currency,
        'once' as amount_period,
        deals.monetary_value as annual_amount,
        deals.converted_value as account_amount,
        deals.converted_unit as account_currency,
        deals.win_probability as probability,
        deals.close_date,
        loss_reasons.name as loss_reason
    from {{ ref('stg_copper__opportunities') }} as deals
    left join {{ ref('stg_copper__loss_reasons') }} as loss_reasons
        on deals.account = loss_reasons.account
        and deals.loss_reason_id = loss_reasons.source_id
),

-- The company of a deal is its lead. It has no name of its own.
close_amounts as (
    select
        opportunities.*,
        {{ tap_crm.close_money('opportunities.value', 'opportunities.value_currency') }} as amount,
        {{ tap_crm.close_money(
            'coalesce(opportunities.annualized_value, opportunities.value'
            ~ " * case opportunities.value_period when 'monthly' then 12 else 1 end)",
            'opportunities.value_currency',
        ) }} as annual_amount
    from {{ ref('stg_close__opportunities') }} as opportunities
),

close as (
    select
        {{ tap_crm.first_columns('close', 'deals', tap_crm.close_url('deals.lead_id'),
            created_at='deals.created_at', updated_at='deals.updated_at') }},
        deals.lead_name as name,
        {{ tap_crm.key('close', 'deals', 'deals.lead_id') }} as company_id,
        {{ tap_crm.key('close', 'deals', 'deals.contact_id') }} as person_id,
        {{ tap_crm.key('close', 'deals', 'deals.user_id') }} as owner_id,
        {{ tap_crm.key('close', 'deals', 'coalesce(deals.pipeline_id, statuses.pipeline_id)') }} as pipeline_id,
        {{ tap_crm.key('close', 'deals', 'deals.status_id') }} as stage_id,
        case coalesce(deals.status_type, statuses.type)
            when 'active' then 'open'
            else coalesce(deals.status_type, statuses.type)
        end as status,
        coalesce(deals.status_label, statuses.label) as status_label,
        deals.amount,
        deals.value_currency as currency,
        case deals.value_period when 'monthly' then 'month' when 'annual' then 'year' else 'once' end as amount_period,
        deals.annual_amount,
        deals.annual_amount as account_amount,
        deals.value_currency as account_currency,
        deals.confidence as probability,
        case coalesce(deals.status_type, statuses.type)
            when 'lost' then coalesce(cast(deals.date_lost as date), deals.date_won)
            else deals.date_won
        end as close_date,
        cast(null as text) as loss_reason
    from close_amounts as deals
    left join {{ ref('stg_close__opportunity_statuses') }} as statuses
        on deals.account = statuses.account
        and deals.status_id = statuses.source_id
),

-- A row has the label of its stage, not the option's id. Of options with the same label, the first counts.
copera_stages as (
    select
        id,
        pipeline_id,
        name,
        status,
        row_number() over (partition by pipeline_id, name order by position, id) as place
    from {{ ref('crm_stages') }}
    where crm = 'copera'
        and not is_deleted
),

copera_deals as (
    select
        opportunities.*,
        {{ tap_crm.key('copera', 'opportunities', "opportunities.table_id || '/' || columns.source_id") }} as pipeline_id
    from {{ ref('stg_copera__opportunities') }} as opportunities
    left join {{ ref('stg_copera__custom_fields') }} as columns
        on opportunities.account = columns.account
        and opportunities.table_id = columns.table_id
        and opportunities.stage_column = lower(columns.field)
        and not columns.is_deleted
),

copera as (
    select
        {{ tap_crm.first_columns('copera', 'deals',
            created_at='deals.created_at', updated_at='deals.updated_at') }},
        deals.name,
        {{ tap_crm.key('copera', 'deals', tap_crm.first_text('deals.company')) }} as company_id,
        {{ tap_crm.key('copera', 'deals', tap_crm.first_text('deals.people')) }} as person_id,
        {{ tap_crm.key('copera', 'deals', 'coalesce(' ~ tap_crm.first_text('deals.owner') ~ ', deals.made_by)') }} as owner_id,
        pipelines.id as pipeline_id,
        stages.id as stage_id,
        case
            when stages.status is not null then stages.status
            else {{ tap_crm.copera_status('null', "coalesce(deals.stage, '')") }}
        end as status,
        deals.stage as status_label,
        deals.amount,
        cast({{ "'" ~ var('copera_currency') ~ "'" if var('copera_currency') else 'null' }} as text) as currency,
        'once' as amount_period,
        deals.amount as annual_amount,
        deals.amount as account_amount,
        cast({{ "'" ~ var('copera_currency') ~ "'" if var('copera_currency') else 'null' }} as text) as account_currency,
        deals.probability,
        deals.close_date,
        cast(null as text) as loss_reason
    from copera_deals as deals
    left join {{ ref('crm_pipelines') }} as pipelines
        on deals.pipeline_id = pipelines.id
    left join copera_stages as stages
        on deals.pipeline_id = stages.pipeline_id
        and deals.stage = stages.name
        and stages.place = 1
)

select * from copper
union all
select * from close
union all
select * from copera
