//! Inserts of rows that were encoded before, so that a retry sends the same block under the same token.

use bytes::Bytes;
use clickhouse::Compression;

use crate::client::{Client, WarehouseError};
use crate::rows::Column;
use crate::transpose::Block;

/// What an insert depends on. ClickHouse remembers the token of each block for as long as the table's
/// `non_replicated_deduplication_window` and drops a block it has seen; that holds only if the same bytes are always cut
/// into the same blocks, in the table and in the views behind it.
const SETTINGS: [(&str, &str); 7] = [
    ("insert_deduplicate", "1"),
    ("deduplicate_blocks_in_dependent_materialized_views", "1"),
    ("async_insert", "0"),
    ("max_insert_threads", "1"),
    ("max_insert_block_size", "1048576"),
    ("min_insert_block_size_rows", "1048576"),
    ("min_insert_block_size_bytes", "268435456"),
];

/// Encoded rows of one table, with the token that tells a retry from new rows.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The table.
    pub table: &'static str,
    /// Its columns, in the order of the rows' values.
    pub columns: &'static [Column],
    /// Rows in `RowBinary`, in pieces of whole rows; at most a block of them (1,048,576 rows, 256 MiB).
    pub rows: Vec<Bytes>,
    /// The same for the same rows, another one for any others.
    pub token: String,
}

/// Writes encoded rows.
#[derive(Clone)]
pub struct BatchWriter {
    client: clickhouse::Client,
}

impl BatchWriter {
    /// A writer over the client's connection.
    pub fn new(client: &Client) -> Self {
        let client = client.inner().clone().with_compression(Compression::None);
        let client = SETTINGS
            .iter()
            .fold(client, |client, (name, value)| client.with_setting(*name, *value));
        // Acknowledged means: the parts of the table and of its views are written.
        Self {
            client: client.with_setting("wait_end_of_query", "1"),
        }
    }

    /// Inserts the rows once, however often it is called with them.
    ///
    /// # Errors
    /// ClickHouse refused the rows, cannot be reached, or gave no answer; then they may be there or not. Or the rows are not what
    /// the columns say; then none of them is.
    pub async fn insert(&self, insert: &Insert) -> Result<(), WarehouseError> {
        let names: Vec<_> = insert.columns.iter().map(|column| column.name).collect();
        let statement = format!(
            "INSERT INTO {} ({}) FORMAT Native",
            insert.table,
            names.join(", ")
        );
        let mut block = Block::new(insert.columns);
        for rows in &insert.rows {
            block.add(rows).map_err(|malformed| WarehouseError::Rows {
                table: insert.table,
                column: malformed.column,
            })?;
            // Half a millisecond's work: others may be waiting.
            tokio::task::yield_now().await;
        }
        let mut request = self
            .client
            .clone()
            .with_setting("insert_deduplication_token", &insert.token)
            .insert_formatted_with(statement);
        let sent = async {
            for piece in block.pieces() {
                request.send(piece).await?;
            }
            request.end().await
        };
        crate::client::within_time(sent).await
    }
}
