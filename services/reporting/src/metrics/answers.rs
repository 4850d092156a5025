//! Answers that were given and still stand.
//!
//! Metrics are asked for far more often than their decisions change. An answer is kept under its question, the hour it is, and
//! what the tables hold of what it rests on, which every question asks ClickHouse for: an answer that is given rests on all that
//! was stored when the question came, late events included, as if it had been computed anew. That is asked for once for
//! all questions that came meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};

use kaizen_api::analysis::v1::QueryMetricResponse;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{Comparison, Contents, MetricQuery, QueryError, contents};
use prost::Message;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::Mutex;

/// Bytes of answers that are kept, in 1,024 answers of usual length or more.
const BYTES: u64 = 32 * 1024 * 1024;
const USUAL: usize = 4_096;

/// Kept answers.
pub struct Answers {
    client: Client,
    kept: Cache<Question, QueryMetricResponse, Size>,
    /// Numbers of the times that ClickHouse was asked what it holds.
    begun: AtomicU64,
    /// The last of them, and what it held.
    last: Mutex<Option<(u64, Option<Contents>)>>,
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
            client,
            kept: Cache::with_weighter(BYTES as usize / USUAL, BYTES, Size),
            begun: AtomicU64::new(0),
            last: Mutex::new(None),
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
        let digest = |it: Option<&Contents>| it.map(|it| it.digest(window, outcomes));
        // One that begins from now on has a higher number
        let before = self.begun.load(Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if let Some((number, held)) = last.as_ref().filter(|(number, _)| *number > before) {
            tracing::trace!(number, "asked for by another question");
            return Ok(digest(held.as_ref()));
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let held = contents(&self.client).await?;
        let digest = digest(held.as_ref());
        *last = Some((number, held));
        Ok(digest)
    }
}
