with copper as (
    select
        {{ tap_crm.first_columns('copper', 'pipelines') }},
        pipelines.name,
        coalesce(pipelines.type, 'opportunity') as object
    from {{ ref('stg_copper__pipelines') }} as pipelines
),

close as (
    select
        {{ tap_crm.first_columns('close', 'pipelines',
            created_at='pipelines.created_at', updated_at='pipelines.updated_at') }},
        pipelines.name,
        'opportunity' as object
    from {{ ref('stg_close__pipelines') }} as pipelines
),

-- In Copera, each column of the type STATUS is one.
copera as (
    select
        {{ tap_crm.first_columns('copera', 'pipelines', source_id="pipelines.table_id || '/' || pipelines.source_id") }},
        pipelines.table_name || ': ' || pipelines.name as name,
        {{ tap_crm.copera_object('pipelines.stream') }} as object
    from {{ ref('stg_copera__pipelines') }} as pipelines
)

select * from copper
union all
select * from close
union all
select * from copera
