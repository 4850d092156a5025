use kaizen_api::status::invalid_argument;
use kaizen_api::tracker::v1::{
    self as wire, ListCorrectionsRequest, ListCorrectionsResponse, RevertCorrectionRequest,
    RevertCorrectionResponse,
};
use kaizen_ledger::{CorrectionState, correction_number};
use serde::{Deserialize, Serialize};
use tonic::Status;

use super::{Tracker, refused};
use crate::impact::correction;
use crate::page;

const PAGE: u32 = 50;
const MOST: u32 = 200;

/// A page token: the number of the last correction of the page, and of which list.
#[derive(Serialize, Deserialize)]
struct Token {
    number: i64,
    of: String,
}

pub async fn list(
    tracker: &Tracker,
    request: ListCorrectionsRequest,
) -> Result<ListCorrectionsResponse, Status> {
    let size = page::size(request.page_size, PAGE, MOST)?;
    let token = page::cursor::<Token>(&request.page_token)?;
    if request.rule.contains('\0') {
        return Err(invalid_argument("rule", "must be without the character NUL"));
    }
    let states = request.states.iter().enumerate();
    let states = states.map(|(index, state)| read_state(index, *state));
    let states = states.collect::<Result<Vec<_>, _>>()?;
    let of = format!("{:?} {states:?}", request.rule);
    if token.as_ref().is_some_and(|token| token.of != of) {
        let rule = "must be of a list with the same filters";
        return Err(invalid_argument("page_token", rule));
    }
    // One more tells whether there is a next page.
    let before = token.map(|token| token.number);
    let found = tracker
        .ledger()
        .corrections(&request.rule, &states, before, size + 1);
    let mut found = found.await.map_err(refused)?;
    let more = found.len() > size as usize;
    found.truncate(size as usize);
    let next_page_token = match found.last().filter(|_| more) {
        Some(last) => page::token(&Token {
            number: last.number,
            of,
        })?,
        None => String::new(),
    };
    Ok(ListCorrectionsResponse {
        corrections: found.into_iter().map(correction).collect(),
        next_page_token,
    })
}

pub async fn revert(
    tracker: &Tracker,
    request: RevertCorrectionRequest,
) -> Result<RevertCorrectionResponse, Status> {
    if request.correction_id.is_empty() {
        return Err(invalid_argument("correction_id", "is required"));
    }
    let number = correction_number(&request.correction_id).ok_or_else(|| {
        invalid_argument(
            "correction_id",
            "must be the identity of a correction, such as C-3",
        )
    })?;
    let reverted = tracker
        .ledger()
        .revert_correction(number, &request.actor, &request.reason)
        .await
        .map_err(refused)?;
    Ok(RevertCorrectionResponse {
        correction: Some(correction(reverted)),
    })
}

fn read_state(index: usize, state: i32) -> Result<CorrectionState, Status> {
    match wire::CorrectionState::try_from(state) {
        Ok(wire::CorrectionState::Active) => Ok(CorrectionState::Active),
        Ok(wire::CorrectionState::Superseded) => Ok(CorrectionState::Superseded),
        Ok(wire::CorrectionState::Reverted) => Ok(CorrectionState::Reverted),
        Ok(wire::CorrectionState::Unspecified) | Err(_) => Err(invalid_argument(
            format!("states[{index}]"),
            "must be active, superseded or reverted",
        )),
    }
}
