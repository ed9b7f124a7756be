with copper as (
    select
        {{ tap_crm.first_columns('copper', 'stages') }},
        {{ tap_crm.key('copper', 'stages', 'stages.pipeline_id') }} as pipeline_id,
        stages.name,
        listed.position,
        cast(stages.win_probability as double precision) as probability,
        'open' as status
    from {{ ref('stg_copper__pipeline_stages') }} as stages
    left join (
        select
            pipelines.account,
            {{ tap_crm.json_text('stage.element', 'id') }} as stage_id,
            stage.position
        from {{ ref('stg_copper__pipelines') }} as pipelines
        {{ tap_crm.elements('pipelines.stages', 'stage') }}
    ) as listed
        on stages.account = listed.account
        and stages.source_id = listed.stage_id
),

close as (
    select
        {{ tap_crm.first_columns('close', 'statuses') }},
        {{ tap_crm.key('close', 'statuses', 'statuses.pipeline_id') }} as pipeline_id,
        statuses.label as name,
        listed.position,
        cast(null as double precision) as probability,
        case statuses.type when 'active' then 'open' else statuses.type end as status
    from {{ ref('stg_close__opportunity_statuses') }} as statuses
    left join (
        select
            pipelines.account,
            {{ tap_crm.json_text('status.element', 'id') }} as status_id,
            status.position
        from {{ ref('stg_close__pipelines') }} as pipelines
        {{ tap_crm.elements('pipelines.statuses', 'status') }}
    ) as listed
        on statuses.account = listed.account
        and statuses.source_id = listed.status_id
),

copera_options as (
    select
        pipelines.account,
        pipelines.table_id || '/' || pipelines.source_id as pipeline,
        {{ tap_crm.json_text('stage.element', 'optionId') }} as option_id,
        coalesce(
            {{ tap_crm.json_text('stage.element', 'label') }}, {{ tap_crm.json_text('stage.element', 'optionId') }}
        ) as name,
        {{ tap_crm.json_text('stage.element', 'statusGroup') }} as status_group,
        stage.position,
        stage.element as raw,
        pipelines.is_deleted
    from {{ ref('stg_copera__pipelines') }} as pipelines
    {{ tap_crm.elements('pipelines.stages', 'stage') }}
),

copera as (
    select
        {{ tap_crm.first_columns('copera', 'options', source_id="options.pipeline || '/' || options.option_id") }},
        {{ tap_crm.key('copera', 'options', 'options.pipeline') }} as pipeline_id,
        options.name,
        options.position,
        cast(null as double precision) as probability,
        {{ tap_crm.copera_status('options.status_group', 'options.name') }} as status
    from copera_options as options
)

select * from copper
union all
select * from close
union all
select * from copera
