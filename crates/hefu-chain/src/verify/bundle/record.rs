//! The line of a record: proven by its path, true to its digests, signed, and in its place.

use super::log_key::Replaced;
use super::{Judge, SIGNATURES_PER_BATCH, Tip};
use crate::bundle::{Asked, Line, Reason};
use crate::command::{CommandRef, SIGNED_PREFIX};
use crate::hash::Sha256Digest;
use crate::key::{Batch, PublicKey, Signature};
use crate::leaf::LeafRef;
use crate::tree::{TreeHash, verify_inclusion};
use crate::verify::finding::{Finding, FindingKind};
use crate::verify::keys::KeyRing;
use crate::verify::redaction;
use crate::verify::row::other_words;

/// A signature to be checked, and what is wrong if it is.
pub(super) struct Queued {
    public: PublicKey,
    message: Vec<u8>,
    signature: Signature,
    wrong: Finding,
}

/// The findings of the signatures that are wrong.
fn wrong_of(queued: &[Queued]) -> Vec<Finding> {
    let mut batch = Batch::default();
    for one in queued {
        batch.queue(&one.public, &one.message, &one.signature);
    }
    let wrong = batch.verify().into_iter().zip(queued).filter(|(good, _)| !good);
    wrong.map(|(_, one)| one.wrong.clone()).collect()
}

impl Judge<'_> {
    pub(super) fn record(&mut self, line: &Line) {
        self.report.records += 1;
        if let Some(progress) = self.options.progress {
            progress(1);
        }
        let bytes = line.leaf.as_bytes();
        let at = |finding: Finding, stream: Option<&str>| finding.position(line.index).stream(stream);
        let leaf = match LeafRef::parse(bytes) {
            Ok(leaf) => leaf,
            Err(error) => {
                let finding = at(self.finding(FindingKind::UnknownSchema), None).field("leaf");
                self.push(finding.stored(error));
                return;
            }
        };
        let stream = Some(leaf.stream);
        if leaf.seq != line.index {
            let finding = at(self.finding(FindingKind::LeafAltered), stream).field("seq");
            self.push(finding.stored(leaf.seq).expected(line.index));
        }
        let mut proven = false;
        if let Some(checkpoint) = &self.checkpoint {
            let (size, root) = (checkpoint.size, &checkpoint.root);
            let hash = TreeHash::leaf(bytes);
            if let Err(error) = verify_inclusion(line.index, size, &hash, &line.path, root) {
                let finding = at(self.finding(FindingKind::ProofWrong), stream).field("path");
                self.push(finding.stored(error).expected("the root of the checkpoint"));
            } else {
                proven = true;
            }
        }
        match &line.body {
            None => {
                let finding = at(self.finding(FindingKind::BodyWithheld), stream);
                self.absent.push((finding, leaf.command_sha256));
            }
            Some(body) if Sha256Digest::of(body.as_bytes()) != leaf.body_sha256 => {
                let finding = at(self.finding(FindingKind::BodyAltered), stream);
                self.push(finding.stored(Sha256Digest::of(body.as_bytes())).expected(leaf.body_sha256));
            }
            Some(body) => {
                self.keys.join(KeyRing::of_body(line.index, body.as_bytes()));
                let named =
                    redaction::names(&leaf, body.as_bytes()).filter(|named| proven && *named < line.index);
                if let Some(named) = named {
                    self.named.entry(named).or_insert(line.index);
                }
                if proven {
                    self.replaced.extend(Replaced::of(&leaf, body.as_bytes()));
                }
            }
        }
        if self.options.schemas.is_some_and(|known| !known(leaf.kind, leaf.v)) {
            let finding = at(self.finding(FindingKind::UnknownSchema), stream).field("type");
            self.push(finding.stored(format!("{} v{}", leaf.kind, leaf.v)));
        }
        self.command(line, &leaf);
        self.order(line, &leaf, proven);
    }

    fn command(&mut self, line: &Line, leaf: &LeafRef<'_>) {
        let finding = |judge: &Self, kind| judge.finding(kind).position(line.index).stream(Some(leaf.stream));
        let Some(command) = &line.command else {
            match self.commands.get(&leaf.command_sha256) {
                None => {
                    let finding = finding(self, FindingKind::CommandMissing).expected(leaf.command_sha256);
                    self.absent.push((finding, leaf.command_sha256));
                }
                Some(told) => {
                    if let Some((field, stored, expected)) = told.and_then(|told| other_words(told, leaf)) {
                        let finding = finding(self, FindingKind::CommandAltered).field(field);
                        self.push(finding.stored(stored).expected(expected));
                    }
                }
            }
            return;
        };
        self.report.commands += 1;
        let digest = Sha256Digest::of(command.as_bytes());
        if digest != leaf.command_sha256 {
            let finding = finding(self, FindingKind::CommandAltered);
            self.push(finding.stored(digest).expected(leaf.command_sha256));
            return;
        }
        let parsed = CommandRef::parse(command.as_bytes());
        self.commands.insert(digest, parsed.as_ref().ok().map(|command| (command.id, command.key)));
        let Ok(command) = parsed else {
            let finding = finding(self, FindingKind::UnknownSchema).field("command");
            self.push(finding);
            return;
        };
        let ledger = self.header.as_ref().map(|header| header.origin.clone());
        if let Some(ledger) = ledger.filter(|ledger| ledger.as_str() != command.ledger) {
            let finding = finding(self, FindingKind::OriginWrong).field("ledger");
            self.push(finding.stored(command.ledger).expected(ledger));
        }
        if let Some((field, stored, expected)) = other_words((command.id, command.key), leaf) {
            let finding = finding(self, FindingKind::CommandAltered).field(field);
            self.push(finding.stored(stored).expected(expected));
        }
        if self.options.hashes_only {
            return;
        }
        let Some(public) = self.keys.get(&command.key).copied() else {
            self.unknown.entry(command.key).or_insert((line.index, 0)).1 += 1;
            return;
        };
        let message = [SIGNED_PREFIX, command.envelope].concat();
        let wrong = finding(self, FindingKind::CommandSignatureWrong).field("sig");
        self.queued.push(Queued { public, message, signature: command.signature, wrong });
        if self.queued.len() >= SIGNATURES_PER_BATCH * self.options.threads.max(1) {
            self.settle();
        }
    }

    /// Checks the signatures that were gathered: a batch a thread.
    pub(super) fn settle(&mut self) {
        let queued = std::mem::take(&mut self.queued);
        let per_thread = queued.len().div_ceil(self.options.threads.max(1)).max(1);
        let wrong: Vec<Finding> = std::thread::scope(|scope| {
            let workers: Vec<_> =
                queued.chunks(per_thread).map(|part| scope.spawn(|| wrong_of(part))).collect();
            let join = |worker: std::thread::ScopedJoinHandle<'_, Vec<Finding>>| {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            workers.into_iter().flat_map(join).collect()
        });
        self.report.findings.extend(wrong);
    }

    /// Places, streams and what was asked for.
    fn order(&mut self, line: &Line, leaf: &LeafRef<'_>, proven: bool) {
        let finding = |judge: &Self, kind| judge.finding(kind).position(line.index).stream(Some(leaf.stream));
        let link = self.chain.as_ref().map(|chain| chain.link(line.leaf.as_bytes()));
        match self.before {
            Some((before, _)) if before == line.index => {
                let finding = finding(self, FindingKind::Duplicated);
                self.push(finding);
                return;
            }
            Some((before, _)) if before > line.index => {
                let alone = |f: &Finding| f.kind == FindingKind::Missing && f.position == Some(line.index);
                self.report.findings.retain(|finding| !alone(finding));
                let finding = finding(self, FindingKind::Swapped).expected("records ascend");
                self.push(finding);
                return;
            }
            Some((before, head)) if proven && before + 1 == line.index && head != leaf.prev => {
                let finding = finding(self, FindingKind::LinkBroken).field("prev");
                self.push(finding.stored(leaf.prev).expected(head));
            }
            Some(_) | None => {}
        }
        let asked = self.header.as_ref().map(|header| header.asked.clone());
        if let (Some(Asked::Range { .. }), Reason::Asked) = (&asked, line.why) {
            let next = self.next;
            if line.index > next {
                let finding = self.finding(FindingKind::Missing).position(next);
                self.push(finding.expected(format!("records {next} to {}", line.index - 1)));
            }
            self.next = next.max(line.index.saturating_add(1));
        }
        // What is not proven says nothing about its neighbours.
        if !proven {
            return;
        }
        self.before = link.map(|link| (line.index, link));

        let whole = matches!(&asked, Some(Asked::Project { project })
            if leaf.stream.strip_prefix("project/") == Some(project.to_string().as_str()));
        let tip = self.streams.get(leaf.stream).copied();
        let (count, last) = (tip.map_or(0, |tip| tip.count), tip.map(|tip| tip.last));
        let follows = tip.is_none_or(|tip| leaf.stream_seq == tip.count);
        if (whole && leaf.stream_seq > count) || leaf.stream_seq < count {
            let kind = if leaf.stream_seq > count { FindingKind::Missing } else { FindingKind::StreamBroken };
            let finding = finding(self, kind).field("stream_seq").stored(leaf.stream_seq).expected(count);
            self.push(finding);
        } else if (whole || tip.is_some()) && follows && leaf.stream_prev != last {
            let told =
                |place: Option<u64>| place.map_or_else(|| "null".to_owned(), |place| place.to_string());
            let finding = finding(self, FindingKind::StreamBroken).field("stream_prev");
            self.push(finding.stored(told(leaf.stream_prev)).expected(told(last)));
        }
        let tip = Tip { count: leaf.stream_seq.saturating_add(1), last: line.index };
        self.streams.insert(leaf.stream.to_owned(), tip);
    }
}
