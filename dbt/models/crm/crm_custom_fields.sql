-- A row for each field and each kind of record that has it; `none` where none has it.
with copper as (
    select
        {{ tap_crm.first_columns('copper', 'fields', source_id="fields.object || ':' || fields.definition_id") }},
        fields.definition_id,
        fields.object,
        fields.name,
        fields.type,
        fields.currency,
        fields.options,
        cast(null as text) as column_name
    from (
        select
            definitions.account,
            definitions.is_deleted,
            definitions.raw,
            definitions.source_id as definition_id,
            coalesce({{ tap_crm.object_of(tap_crm.scalar_text('place.element')) }}, 'none') as object,
            definitions.name,
            definitions.data_type as type,
            definitions.currency,
            definitions.options
        from (
            select
                listed.*,
                case
                    when {{ tap_crm.is_empty('listed.available_on') }} then cast('["none"]' as {{ tap_crm.type_json() }})
                    else listed.available_on
                end as places
            from {{ ref('stg_copper__custom_fields') }} as listed
        ) as definitions
        {{ tap_crm.elements('definitions.places', 'place') }}
    ) as fields
),

close_places as (
    select
        definitions.account,
        definitions.is_deleted,
        definitions.raw,
        definitions.created_at,
        definitions.updated_at,
        definitions.source_id as definition_id,
        coalesce({{ tap_crm.json_text('place.element', 'object_type') }}, 'none') as object_type,
        coalesce(
            {{ tap_crm.json_text('place.element', 'custom_activity_type_id') }},
            {{ tap_crm.json_text('place.element', 'custom_object_type_id') }},
            definitions.custom_activity_type_id,
            definitions.custom_object_type_id
        ) as type_id,
        definitions.name,
        definitions.type,
        definitions.choices
    from (
        select
            listed.*,
            case
                when listed.object_type = 'shared' and not {{ tap_crm.is_empty('listed.associations') }}
                    then listed.associations
                when listed.object_type = 'shared'
                    then cast('[{"object_type": "none"}]' as {{ tap_crm.type_json() }})
                else cast('[{"object_type": "' || listed.object_type || '"}]' as {{ tap_crm.type_json() }})
            end as places
        from {{ ref('stg_close__custom_fields') }} as listed
    ) as definitions
    {{ tap_crm.elements('definitions.places', 'place') }}
),

close as (
    select
        {{ tap_crm.first_columns('close', 'fields',
            source_id="fields.object || coalesce(':' || fields.type_id, '') || ':' || fields.definition_id",
            created_at='fields.created_at', updated_at='fields.updated_at') }},
        fields.definition_id,
        fields.object,
        fields.name,
        fields.type,
        cast(null as text) as currency,
        fields.choices as options,
        cast(null as text) as column_name
    from (
        select
            close_places.*,
            {{ tap_crm.close_object_of('close_places.object_type') }} as object
        from close_places
    ) as fields
),

copera as (
    select
        {{ tap_crm.first_columns('copera', 'fields', source_id="fields.table_id || '/' || fields.source_id") }},
        fields.source_id as definition_id,
        {{ tap_crm.copera_object('fields.stream') }} as object,
        fields.name,
        fields.type,
        cast(null as text) as currency,
        fields.options,
        fields.field as column_name
    from {{ ref('stg_copera__custom_fields') }} as fields
)

select * from copper
union all
select * from close
union all
select * from copera
