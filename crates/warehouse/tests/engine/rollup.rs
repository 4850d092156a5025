use anyhow::Result;

use crate::sandbox::Sandbox;

/// 10,000 varied decisions of batch `batch`, sent with its token as the collector sends them.
fn batch(batch: u32) -> String {
    format!(
        "INSERT INTO decisions (_ingested_at, _topic, _offset, event_id, log_type, timestamp, method_used, processing_time, success, \
         quality_score, success_indicator, dims, measures) \
         SETTINGS insert_deduplication_token = 'batch-{batch}', deduplicate_blocks_in_dependent_materialized_views = 1 \
         SELECT now64(3), 't', number, toString(number), ['a', 'b'][1 + number % 2], \
         toDateTime64('2008-05-01 00:00:00', 3, 'UTC') + intDiv(number * 3600 * 24 * 40, 30000), ['x', 'y', 'z'][1 + number % 3], \
         if(number % 17 = 0, NULL, (number * 7919 % 1000003) / 1000), number % 10 > 0, \
         if(number % 3 = 0, NULL, (number * 104729 % 100000007) / 1000000), if(number % 5 = 0, NULL, number % 3 = 0), \
         map('model', ['g1', 'g2'][1 + number % 2]), map('cost_usd', (number % 1000) / 1000000000, 'tokens', number % 4096) \
         FROM numbers({}, 10000)",
        batch * 10_000
    )
}

const TABLE: &str = "SELECT toString((count(), countIf(success), count(success_indicator), countIf(success_indicator), \
     count(quality_score), sum(toDecimal128(printf('%.6f', quality_score), 6)), \
     count(processing_time), sum(toDecimal128(printf('%.6f', processing_time), 6)), \
     sum(toDecimal128(printf('%.9f', measures['cost_usd']), 9)), sum(toDecimal128(printf('%.9f', measures['tokens']), 9)))) \
     FROM decisions";
const ROLLUP: &str = "SELECT toString((sum(decisions), sum(successes), sum(labelled), sum(positives), \
     sum(quality_count), sum(quality_sum), sum(processing_time_count), sum(processing_time_sum), \
     sum(measure_sums['cost_usd']), sum(measure_sums['tokens']))) FROM rollup_hourly";

#[tokio::test]
async fn the_rollup_equals_its_table_to_the_last_digit_also_when_batches_are_sent_again() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    for number in [0, 1, 1, 2, 0, 2] {
        sandbox.execute(&batch(number)).await?;
    }
    let table = sandbox.text(TABLE).await?;
    assert!(table.starts_with("(30000,27000,24000,"), "{table}");
    assert_eq!(sandbox.text(ROLLUP).await?, table);
    sandbox.execute("OPTIMIZE TABLE rollup_hourly FINAL").await?;
    assert_eq!(sandbox.text(ROLLUP).await?, table);
    Ok(())
}

#[tokio::test]
async fn six_decimals_of_a_score_and_nine_of_a_price_are_summed_exactly() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    sandbox
        .execute(
            "INSERT INTO decisions (timestamp, quality_score, processing_time, measures) VALUES \
             ('2024-01-01 00:00:00', 0.29, 1.115, map('cost_usd', 0.000000001)), \
             ('2024-01-01 00:30:00', 81.700001, 8.575, map('cost_usd', 0.1)), \
             ('2024-01-01 00:59:59', 0.57, 0.1, map('cost_usd', 0.2))",
        )
        .await?;
    let sums = "SELECT toString((sum(quality_sum), sum(processing_time_sum), sum(measure_sums['cost_usd']), \
                sumMap(processing_times))) FROM rollup_hourly";
    // Times by nanoseconds to three digits: 1.115 is 1.11499…, 8.575 is 8.57499… in binary
    assert_eq!(
        sandbox.text(sums).await?,
        "(82.560001,9.79,0.300000001,{100000000:1,1110000000:1,8570000000:1})"
    );
    Ok(())
}

#[tokio::test]
async fn one_absurd_value_neither_stops_an_insert_nor_reaches_the_rollup() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    sandbox
        .execute(
            "INSERT INTO decisions (timestamp, quality_score, processing_time, measures) VALUES \
             ('2024-01-01 00:00:00', nan, 1e300, map('a', inf, 'b', -2.5, 'c', 1e10))",
        )
        .await?;
    let sums = "SELECT toString((sum(decisions), sum(quality_count), sum(processing_time_count), sumMap(measure_sums))) \
                FROM rollup_hourly";
    assert_eq!(sandbox.text(sums).await?, "(1,0,0,{'b':-2.5})");
    Ok(())
}

#[tokio::test]
async fn decisions_of_long_ago_stay() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let insert = "INSERT INTO decisions (_ingested_at, timestamp) VALUES (now64(3), '2008-05-05 09:00:00')";
    sandbox.execute(insert).await?;
    sandbox.execute("OPTIMIZE TABLE decisions FINAL").await?;
    assert_eq!(
        sandbox.text("SELECT toString(count()) FROM decisions").await?,
        "1"
    );
    Ok(())
}
