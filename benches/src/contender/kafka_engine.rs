//! ClickHouse's own Kafka engine, a view that takes the events apart, and the same table with the same rollup.
//! A block is stored at 65,536 rows or after a second, as everyone's batches are. It does less: nothing is validated, and a bad record is not told apart from a good one.

use anyhow::Result;

use crate::meter::{Measurement, Meter};
use crate::stage::{Stage, TOPIC};

const VIEW: &str = "CREATE MATERIALIZED VIEW kaizen.queue_view TO kaizen.decisions AS
WITH
    JSONExtractRaw(raw, 'lead_identifier') AS lead,
    JSONExtractRaw(raw, 'decision_reasoning') AS reasoning,
    JSONExtractRaw(raw, 'training_labels') AS labels,
    JSONExtractRaw(raw, 'input_data') AS input_data,
    JSONExtractRaw(raw, 'output_data') AS output_data
SELECT
    _topic,
    toInt32(_partition) AS _partition,
    toInt64(_offset) AS _offset,
    assumeNotNull(_timestamp_ms) AS _ingested_at,
    JSONExtractString(raw, 'event_id') AS event_id,
    JSONExtractString(raw, 'log_type') AS log_type,
    JSONExtractString(raw, 'session_id') AS session_id,
    parseDateTime64BestEffort(JSONExtractString(raw, 'timestamp'), 3, 'UTC') AS timestamp,
    JSONExtractString(lead, 'company') AS company,
    JSONExtractString(lead, 'industry') AS industry,
    JSONExtractString(reasoning, 'method_used') AS method_used,
    JSONExtractString(reasoning, 'confidence_level') AS confidence_level,
    JSONExtract(reasoning, 'processing_time', 'Nullable(Float64)') AS processing_time,
    JSONExtractBool(reasoning, 'success') AS success,
    JSONExtract(labels, 'quality_score', 'Nullable(Float64)') AS quality_score,
    JSONExtract(labels, 'success_indicator', 'Nullable(Bool)') AS success_indicator,
    JSONExtractString(labels, 'improvement_potential') AS improvement_potential,
    mapFilter((name, value) -> value != '', map(
        'template', JSONExtractString(input_data, 'template'),
        'model', JSONExtractString(input_data, 'model'),
        'prompt_version', JSONExtractString(input_data, 'prompt_version'))) AS dims,
    mapFilter((name, value) -> value != 0, map(
        'tokens', JSONExtractFloat(output_data, 'tokens'),
        'cost_usd', JSONExtractFloat(output_data, 'cost_usd'))) AS measures,
    input_data AS input,
    output_data AS output,
    '{}' AS extra
FROM kaizen.queue";

/// Ingests every event, from the creation of the view.
pub async fn ingest(stage: &mut Stage) -> Result<Measurement> {
    let group = stage.new_group();
    let clickhouse = stage.stack.clickhouse();
    let queue = format!(
        "CREATE TABLE kaizen.queue (raw String) ENGINE = Kafka SETTINGS kafka_broker_list = '{}', kafka_topic_list = '{TOPIC}', \
         kafka_group_name = '{group}', kafka_format = 'RawBLOB', kafka_max_block_size = 65536, kafka_poll_max_batch_size = 65536, \
         kafka_flush_interval_ms = 1000",
        stage.stack.kafka().brokers()
    );
    clickhouse.query(&queue).await?;
    let meter = Meter::start(&stage.stack)?;
    clickhouse.query(VIEW).await?;
    stage.stored(|| Ok(())).await?;
    let measured = meter.stop(&stage.stack, stage.events, None)?;
    clickhouse.query("DROP TABLE kaizen.queue_view").await?;
    clickhouse.query("DROP TABLE kaizen.queue").await?;
    Ok(measured)
}
