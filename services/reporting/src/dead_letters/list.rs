use kaizen_api::decisions::v1::{
    DeadLetter, DeadLetterState, ListDeadLettersRequest, ListDeadLettersResponse, RecordPlace,
};
use kaizen_api::status::{invalid_argument, query_failed};
use kaizen_api::time::from_wire;
use kaizen_decision::Reason;
use kaizen_warehouse::queries::{self, DeadLettersQuery, LetterState, dead_letters};
use tonic::Status;

use super::{DeadLetters, record_time};
use crate::page;

const PAGE: u32 = 50;
const MOST: u32 = 1000;

pub async fn answer(
    letters: &DeadLetters,
    request: ListDeadLettersRequest,
) -> Result<ListDeadLettersResponse, Status> {
    let size = page::size(request.page_size, PAGE, MOST)?;
    let time = |field, time: Option<_>| time.map(|time| from_wire(field, Some(time))).transpose();
    let (start, end) = (
        time("start_time", request.start_time)?,
        time("end_time", request.end_time)?,
    );
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        return Err(invalid_argument("end_time", "must be after start_time"));
    }
    let reasons = request.reasons.iter().enumerate();
    let query = DeadLettersQuery {
        start,
        end,
        reasons: reasons
            .map(|(index, word)| reason(index, word))
            .collect::<Result<_, _>>()?,
        topic: &request.topic,
        states: states(request.state)?,
        kept_since: letters.kept_since(),
        // One more tells whether there is a next page.
        limit: size + 1,
        after: page::cursor(&request.page_token)?,
    };
    let mut found = dead_letters(&letters.client, &query)
        .await
        .map_err(query_failed)?;
    let more = found.len() > size as usize;
    found.truncate(size as usize);
    let next_page_token = match found.last().filter(|_| more) {
        Some(last) => page::token(&last.record)?,
        None => String::new(),
    };
    Ok(ListDeadLettersResponse {
        dead_letters: found.into_iter().map(letter).collect::<Result<_, _>>()?,
        next_page_token,
    })
}

fn reason(index: usize, word: &str) -> Result<&'static str, Status> {
    let known = Reason::ALL.iter().map(|reason| reason.as_str());
    known.clone().find(|known| *known == word).ok_or_else(|| {
        let allowed: Vec<_> = known.collect();
        let rule = format!("must be one of {}", allowed.join(", "));
        invalid_argument(format!("reasons[{index}]"), rule)
    })
}

fn states(asked: i32) -> Result<Vec<LetterState>, Status> {
    match DeadLetterState::try_from(asked) {
        Ok(DeadLetterState::Unspecified) => Ok(Vec::new()),
        Ok(DeadLetterState::Open) => Ok(vec![LetterState::Open]),
        Ok(DeadLetterState::Replayed) => Ok(vec![LetterState::Replayed]),
        Ok(DeadLetterState::Expired) => Ok(vec![LetterState::Expired]),
        Err(_) => Err(invalid_argument("state", "must be a DeadLetterState")),
    }
}

fn letter(found: queries::DeadLetter) -> Result<DeadLetter, Status> {
    let state = match found.state {
        LetterState::Open => DeadLetterState::Open,
        LetterState::Replayed => DeadLetterState::Replayed,
        LetterState::Expired => DeadLetterState::Expired,
    };
    Ok(DeadLetter {
        record: Some(place(found.record)?),
        reason: found.reason,
        field: found.field,
        size_bytes: i64::try_from(found.bytes).unwrap_or(i64::MAX),
        state: state.into(),
        replayed_as: found.replayed_as.map(place).transpose()?,
    })
}

fn place(record: queries::RecordPlace) -> Result<RecordPlace, Status> {
    Ok(RecordPlace {
        record_time: Some(record_time(record.time)?),
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
    })
}
