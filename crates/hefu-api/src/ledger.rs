//! Answers to commands as messages.

use hefu_engine::{self as engine, Answer};

use crate::{
    problem::{Kind, Problem},
    v1,
};

/// A command on record.
pub fn accepted(accepted: engine::Accepted) -> v1::Accepted {
    let engine::Accepted { id, position, records, leaf, receipt, repeated } = accepted;
    let receipt = receipt.map(|receipt| v1::Receipt {
        origin: receipt.origin.to_string(),
        seq: receipt.seq,
        head: receipt.head.to_string(),
        sig: receipt.sig.to_string(),
    });
    v1::Accepted { id: id.to_string(), position, records, leaf, receipt, repeated }
}

/// The answer to one command: what is on record, or the refusal as a problem.
pub fn outcome(answer: Answer) -> Result<v1::Accepted, Problem> {
    match answer {
        Answer::Accepted(one) => Ok(accepted(one)),
        Answer::Refused(refused, signed) => {
            let mut problem =
                Problem::new(Kind::of(&refused), refused.code(), refused.zh(), refused.to_string());
            if let Some(field) = refused.field() {
                problem = problem.at(field);
            }
            problem.refusal = signed.and_then(|signed| serde_json::to_string(&signed).ok());
            Err(problem)
        }
    }
}

/// The answer to one command of a batch.
pub fn answer(answer: Answer) -> v1::Answer {
    use v1::answer::Outcome;
    let outcome = match outcome(answer) {
        Ok(accepted) => Outcome::Accepted(accepted),
        Err(problem) => Outcome::Refused(v1::Refused {
            code: problem.code.to_owned(),
            denied: problem.kind == Kind::Denied,
            message_zh: problem.zh,
            message_en: problem.en,
            field: problem.field,
            signed: problem.refusal.unwrap_or_default().into_bytes(),
        }),
    };
    v1::Answer { outcome: Some(outcome) }
}
