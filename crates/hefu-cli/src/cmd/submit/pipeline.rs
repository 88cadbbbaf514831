//! Lines in, submissions out: while one is signed, the ones before are committed.

use std::collections::{HashMap, VecDeque};

use hefu_engine::{Accepted, Mode, Recorded};
use hefu_exchange::journal::{Draft, JournalError, Line, LineKind};
use uuid::Uuid;

use super::{
    Args,
    fields::kind_of,
    signing::{Stamp, needs_published},
    tally::{Tally, Verdict},
};
use crate::{
    error::{CliError, Result},
    writing::{Answered, Pending, Writing},
};

/// Lines read, looked up, signed and submitted together.
pub(super) const BATCH: usize = 512;
/// Submissions under way: enough to keep the writer busy while the next one is signed.
const FLYING: usize = 4;

/// Where a line's answer comes from.
enum Source {
    /// The writer.
    Submitted,
    /// It was on record before.
    Recorded(Box<Accepted>),
    /// A line above says exactly the same.
    Again(Uuid),
    /// It cannot even be submitted.
    Unfit(Box<CliError>),
}

/// One line under way.
pub(super) struct Slot {
    pub(super) line: u64,
    pub(super) kind: Option<&'static str>,
    source: Source,
}

struct Flight {
    slots: Vec<Slot>,
    answers: Pending,
}

/// The way of a journal into the ledger.
pub(super) struct Pipeline<'a, 't> {
    ledger: &'t Writing<'t>,
    mode: Mode,
    stamp: Stamp<'a, 't>,
    file: String,
    slots: Vec<Slot>,
    commands: Vec<Vec<u8>>,
    /// Drafts of the present submission by their id.
    drafts: HashMap<Uuid, Draft>,
    flying: VecDeque<Flight>,
    tally: &'t mut Tally<'a>,
}

impl<'a, 't> Pipeline<'a, 't> {
    pub(super) fn new(ledger: &'t Writing<'t>, args: &'a Args, tally: &'t mut Tally<'a>) -> Self {
        Pipeline {
            ledger,
            mode: args.mode(),
            stamp: Stamp::new(ledger, args.signer.as_deref()),
            file: args.name(),
            slots: Vec::new(),
            commands: Vec::new(),
            drafts: HashMap::new(),
            flying: VecDeque::new(),
            tally,
        }
    }

    /// Whether everything goes in one submission.
    fn whole(&self) -> bool {
        matches!(self.mode, Mode::Atomic | Mode::DryRun)
    }

    /// Takes lines; `false`: one of them was refused and no more are wanted.
    pub(super) fn take(&mut self, batch: Vec<std::result::Result<Line, JournalError>>) -> Result<bool> {
        let ids: Vec<Uuid> = batch.iter().filter_map(|line| unsigned(line.as_ref().ok()?)?.id).collect();
        let mut recorded = HashMap::new();
        if !ids.is_empty() {
            let found = self.ledger.recorded(&ids)?;
            recorded.extend(ids.into_iter().zip(found).filter_map(|(id, found)| Some((id, found?))));
        }
        for line in batch {
            let wrong = match line {
                Ok(Line { number, kind }) => match self.line(number, kind, &mut recorded) {
                    Ok(()) => None,
                    Err(error) => Some((number, error)),
                },
                Err(error) => Some((error.line, super::tally::unreadable(error))),
            };
            if let Some((number, error)) = wrong {
                self.wrong(number, error)?;
            }
        }
        if !self.whole() {
            self.submit();
            while self.flying.len() > FLYING {
                self.land()?;
            }
        }
        Ok(self.mode == Mode::Each || !self.tally.any_wrong())
    }

    /// Submits what is left and waits for all answers.
    pub(super) fn finish(&mut self) -> Result {
        self.submit();
        while !self.flying.is_empty() {
            self.land()?;
        }
        self.tally.first_refusal()
    }

    /// A line that cannot even be submitted. What stands before it in the file goes first.
    fn wrong(&mut self, number: u64, error: CliError) -> Result {
        let error = error.at("file", self.file.clone()).at("line", number);
        if self.mode == Mode::Each {
            // Its turn comes behind the lines before it.
            self.slots.push(Slot { line: number, kind: None, source: Source::Unfit(Box::new(error)) });
            return Ok(());
        }
        if self.mode == Mode::Stop {
            self.finish()?;
        }
        Err(self.tally.stopped(number, error))
    }

    fn line(&mut self, line: u64, kind: LineKind, recorded: &mut HashMap<Uuid, Recorded>) -> Result {
        let draft = match kind {
            LineKind::Signed(bytes) => {
                self.stamp.note(&bytes);
                self.push(line, None, bytes);
                return Ok(());
            }
            LineKind::Unsigned(draft) => draft,
        };
        let kind = kind_of(&draft.command);
        if let Some(id) = draft.id {
            if let Some(first) = self
                .drafts
                .get(&id)
                .filter(|first| first.command == draft.command && first.signer == draft.signer)
            {
                debug_assert!(first.id == Some(id));
                self.slots.push(Slot { line, kind, source: Source::Again(id) });
                return Ok(());
            }
            if let Some(found) = recorded.get(&id)
                && self.stamp.same(&draft, &found.command)?
            {
                let source = Source::Recorded(Box::new(found.accepted.clone()));
                self.slots.push(Slot { line, kind, source });
                return Ok(());
            }
            self.drafts.insert(id, draft.clone());
        }
        if needs_published(&draft) && !self.whole() {
            self.submit();
            while !self.flying.is_empty() {
                self.land()?;
            }
            self.ledger.look_again();
        }
        let bytes = self.stamp.sign(draft)?;
        self.push(line, kind, bytes);
        Ok(())
    }

    fn push(&mut self, line: u64, kind: Option<&'static str>, bytes: Vec<u8>) {
        self.slots.push(Slot { line, kind, source: Source::Submitted });
        self.commands.push(bytes);
    }

    fn submit(&mut self) {
        if self.slots.is_empty() {
            return;
        }
        let slots = std::mem::take(&mut self.slots);
        let commands = std::mem::take(&mut self.commands);
        self.drafts.clear();
        let answers = self.ledger.submit(commands, self.mode);
        self.flying.push_back(Flight { slots, answers });
    }

    /// Waits for the oldest submission and counts its answers.
    fn land(&mut self) -> Result {
        let Some(Flight { slots, answers }) = self.flying.pop_front() else { return Ok(()) };
        let mut answers = answers.wait().map_err(|error| self.tally.failed(error))?.into_iter();
        let mut accepted: HashMap<Uuid, Accepted> = HashMap::new();
        for slot in slots {
            let verdict = match &slot.source {
                Source::Unfit(error) => {
                    self.tally.wrong(error);
                    continue;
                }
                Source::Recorded(first) => Verdict::Repeated((**first).clone()),
                Source::Again(id) => accepted.get(id).cloned().map_or(Verdict::Skipped, Verdict::Repeated),
                Source::Submitted => match answers.next() {
                    Some(Answered::Accepted(one)) => {
                        accepted.insert(one.id, one.clone());
                        if one.repeated { Verdict::Repeated(one) } else { Verdict::Accepted(one) }
                    }
                    Some(Answered::Skipped) | None => Verdict::Skipped,
                    Some(Answered::Refused(why, signed)) => Verdict::Refused(why, signed),
                },
            };
            self.tally.count(&slot, verdict)?;
        }
        Ok(())
    }
}

fn unsigned(line: &Line) -> Option<&Draft> {
    match &line.kind {
        LineKind::Unsigned(draft) => Some(draft),
        LineKind::Signed(_) => None,
    }
}
