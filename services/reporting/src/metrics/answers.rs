//! Answers that were given and still stand.
//!
//! Metrics are asked for far more often than their decisions change. An answer is kept under its question, the hour it is, and
//! what the tables hold of what it rests on: an answer that is given rests on all that was stored [`AGE`](super::held::AGE) before the question
//! came, late events included, as if it had been computed anew.

use kaizen_api::analysis::v1::QueryMetricResponse;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{Comparison, MetricQuery, QueryError};
use prost::Message;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::held::Held;

/// Bytes of answers that are kept, in 1,024 answers of usual length or more.
const BYTES: u64 = 32 * 1024 * 1024;
const USUAL: usize = 4_096;

/// Kept answers.
pub struct Answers {
    held: Held,
    kept: Cache<Question, QueryMetricResponse, Size>,
}

/// What an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    request: Vec<u8>,
    /// Hours since 1970: what is incomplete and what is expected changes with them.
    hour: i64,
    /// What the tables hold.
    contents: u64,
}

#[derive(Debug, Clone)]
struct Size;

impl Weighter<Question, QueryMetricResponse> for Size {
    fn weight(&self, question: &Question, answer: &QueryMetricResponse) -> u64 {
        (question.request.len() + answer.encoded_len() + size_of::<Question>()) as u64
    }
}

impl Answers {
    /// None yet.
    pub fn new(client: Client) -> Self {
        Self {
            held: Held::new(client),
            kept: Cache::with_weighter(BYTES as usize / USUAL, BYTES, Size),
        }
    }

    /// The answer to a request: the one that was given, as long as it stands, or else what `compute` gives, once however many ask
    /// at once.
    ///
    /// # Errors
    /// ClickHouse's, and those of `compute`.
    pub async fn of(
        &self,
        request: Vec<u8>,
        query: &MetricQuery<'_>,
        compute: impl Future<Output = Result<QueryMetricResponse, QueryError>>,
    ) -> Result<QueryMetricResponse, QueryError> {
        let Some(contents) = self.contents(query).await? else {
            return compute.await;
        };
        let question = Question {
            request,
            hour: query.now.as_second().div_euclid(3_600),
            contents,
        };
        self.kept.get_or_insert_async(&question, compute).await
    }

    /// What the tables hold of all that the query rests on; `None` where that cannot be told.
    async fn contents(&self, query: &MetricQuery<'_>) -> Result<Option<u64>, QueryError> {
        let mut window = query.window;
        match query.compare_to {
            Some(Comparison::Previous) => window = window.with(window.previous(query.step, &query.zone)?),
            Some(Comparison::Window(other)) => window = window.with(other),
            None => {}
        }
        let outcomes = query.metric.expression.outcome().is_some();
        let held = self.held.contents().await?;
        Ok(held.map(|it| it.digest(window, outcomes)))
    }
}
