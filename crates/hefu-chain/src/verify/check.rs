//! What can be checked of each record alone: digests, chain value, signatures. Pure work, spread over threads.

use super::Progress;
use super::keys::KeyRing;
use super::scan::{Piece, pieces};
use crate::chain::ChainContext;
use crate::command::{CommandRef, SIGNED_PREFIX};
use crate::frame::{Commit, Why};
use crate::hash::{ChainHash, Sha256Digest};
use crate::key::{Batch, KeyId, PublicKey, Signature};
use crate::leaf::{BadLeaf, LeafRef};
use crate::log_keys::LogKeys;
use crate::origin::Origin;
use crate::receipt::receipt_message;
use crate::record::RecordRef;
use crate::tree::TreeHash;

/// A batched check gains little beyond this, and its points should stay in the cache.
const SIGNATURES_PER_BATCH: usize = 1024;
/// Pieces per unit of work; several batches of signatures each.
const PIECES_PER_TASK: usize = 4096;

/// What every record is checked against.
pub(super) struct Context<'a> {
    pub(super) origin: &'a Origin,
    pub(super) chain: ChainContext,
    /// The keys of the log: which one signed what.
    pub(super) log_keys: &'a LogKeys,
    pub(super) keys: &'a KeyRing,
    pub(super) hashes_only: bool,
    /// Hash leaves for the tree, too.
    pub(super) tree: bool,
    pub(super) threads: usize,
    pub(super) progress: Option<Progress<'a>>,
}

/// The body of a record against its leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// It is the one.
    True,
    /// It is another.
    False,
    /// It is absent.
    Withheld,
    /// The leaf cannot be read.
    Untold,
    /// What is read has no bodies.
    Elsewhere,
}

/// The command of a record against its leaf and its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// The one the leaf commits to, rightly signed.
    True,
    /// Another.
    False,
    /// The same as that of the record before, or absent.
    Empty,
    /// The leaf cannot be read.
    Untold,
    /// The one, but it cannot be read.
    Unreadable,
    /// The one, but for another ledger.
    OtherLedger,
    /// The one, but its id or its key is not the one that the leaf says.
    OtherWords,
    /// The one, but its key is nowhere.
    UnknownKey(KeyId),
    /// The one, but not signed by its key.
    WrongSignature,
    /// What is read has no commands.
    Elsewhere,
}

/// A record with all that can be said of it alone.
#[derive(Debug, Clone)]
pub(super) struct Row<'a> {
    /// Where it belongs: what its frame says, until `order` knows better.
    pub(super) at: u64,
    pub(super) offset: u64,
    pub(super) record: RecordRef<'a>,
    pub(super) damage: Option<Why>,
    pub(super) leaf: Result<LeafRef<'a>, BadLeaf>,
    pub(super) link: ChainHash,
    /// The hash of the leaf in the tree, where the tree is asked for.
    pub(super) tree: Option<TreeHash>,
    pub(super) body: Body,
    pub(super) command: Command,
}

/// A commit with all that can be said of it alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommitRow {
    pub(super) offset: u64,
    pub(super) commit: Commit,
    pub(super) damage: Option<Why>,
    /// Signed by the log; none when no key is known.
    pub(super) signed: Option<bool>,
    /// How many records stand before it in the file.
    pub(super) rows_before: usize,
}

impl CommitRow {
    /// The position of the batch's last record.
    pub(super) fn last(&self) -> Option<u64> {
        self.commit.first.checked_add(u64::from(self.commit.count))?.checked_sub(1)
    }
}

/// Bytes of which nothing could be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hole {
    pub(super) offset: u64,
    pub(super) why: Why,
    pub(super) rows_before: usize,
}

/// A segment, sorted by what its pieces are.
#[derive(Debug, Default)]
pub(super) struct Sorted<'a> {
    pub(super) rows: Vec<Row<'a>>,
    pub(super) commits: Vec<CommitRow>,
    pub(super) holes: Vec<Hole>,
    pub(super) zeros: Option<u64>,
}

/// Checks every piece of a segment.
pub(super) fn segment<'a>(context: &Context<'_>, bytes: &'a [u8]) -> Sorted<'a> {
    let pieces = pieces(bytes);
    let tasks: Vec<&[Piece<'a>]> = pieces.chunks(PIECES_PER_TASK).collect();
    let per_thread = tasks.len().div_ceil(context.threads).max(1);
    if context.threads == 1 || tasks.len() < 2 {
        return join(tasks.into_iter().map(|task| check(context, task)));
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = tasks
            .chunks(per_thread)
            .map(|tasks| scope.spawn(|| tasks.iter().map(|task| check(context, task)).collect::<Vec<_>>()))
            .collect();
        join(workers.into_iter().flat_map(|worker| match worker.join() {
            Ok(parts) => parts,
            Err(panic) => std::panic::resume_unwind(panic),
        }))
    })
}

fn join<'a>(parts: impl Iterator<Item = Sorted<'a>>) -> Sorted<'a> {
    let mut all = Sorted::default();
    for part in parts {
        let before = all.rows.len();
        all.commits.extend(
            part.commits
                .into_iter()
                .map(|commit| CommitRow { rows_before: commit.rows_before + before, ..commit }),
        );
        all.holes.extend(
            part.holes.into_iter().map(|hole| Hole { rows_before: hole.rows_before + before, ..hole }),
        );
        all.zeros = all.zeros.or(part.zeros);
        if all.rows.is_empty() {
            all.rows = part.rows;
        } else {
            all.rows.extend(part.rows);
        }
    }
    all
}

/// Whose signature was queued.
enum Signed {
    Row(usize),
    Commit(usize),
}

/// Checks some pieces on this thread.
fn check<'a>(context: &Context<'_>, pieces: &[Piece<'a>]) -> Sorted<'a> {
    let mut sorted = Sorted { rows: Vec::with_capacity(pieces.len()), ..Sorted::default() };
    let mut batch = Batch::default();
    let mut queued = Vec::new();
    let mut message = Vec::new();
    for piece in pieces {
        let rows_before = sorted.rows.len();
        match *piece {
            Piece::Record { offset, record, damage } => {
                let leaf = LeafRef::parse(record.leaf);
                let link = context.chain.link(record.leaf);
                let (body, command) = match &leaf {
                    Err(_) => (Body::Untold, Command::Untold),
                    Ok(leaf) => {
                        let (command, signature) = command(context, leaf, record.command);
                        if let Some((public, command)) = signature {
                            message.clear();
                            message.extend_from_slice(SIGNED_PREFIX);
                            message.extend_from_slice(command.envelope);
                            batch.queue(public, &message, &command.signature);
                            queued.push(Signed::Row(rows_before));
                        }
                        (body(leaf, record.body), command)
                    }
                };
                let at = record.position;
                let tree = context.tree.then(|| TreeHash::leaf(record.leaf));
                sorted.rows.push(Row { at, offset, record, damage, leaf, link, tree, body, command });
            }
            Piece::Commit { offset, commit, damage } => {
                let row = CommitRow { offset, commit, damage, signed: None, rows_before };
                let last = row.last();
                let signed = context.log_keys.at(last.unwrap_or(u64::MAX)).map(|key| match last {
                    None => false,
                    Some(last) => {
                        let receipt = receipt_message(context.origin, last, &ChainHash(commit.head));
                        batch.queue(&key, &receipt, &Signature(commit.signature));
                        queued.push(Signed::Commit(sorted.commits.len()));
                        true
                    }
                });
                sorted.commits.push(CommitRow { signed, ..row });
            }
            Piece::Damage { offset, why } => sorted.holes.push(Hole { offset, why, rows_before }),
            Piece::Zeros { offset } => sorted.zeros = Some(offset),
        }
        if batch.len() >= SIGNATURES_PER_BATCH {
            settle(&mut batch, &mut queued, &mut sorted);
        }
    }
    settle(&mut batch, &mut queued, &mut sorted);
    if let Some(progress) = context.progress {
        progress(sorted.rows.len() as u64);
    }
    sorted
}

/// Checks what is queued; rows and commits were taken for good until now.
fn settle(batch: &mut Batch, queued: &mut Vec<Signed>, sorted: &mut Sorted<'_>) {
    for (good, whose) in batch.verify().into_iter().zip(queued.drain(..)) {
        match whose {
            Signed::Row(at) if !good => sorted.rows[at].command = Command::WrongSignature,
            Signed::Commit(at) if !good => sorted.commits[at].signed = Some(false),
            Signed::Row(_) | Signed::Commit(_) => {}
        }
    }
}

fn body(leaf: &LeafRef<'_>, body: &[u8]) -> Body {
    if body.is_empty() {
        Body::Withheld
    } else if Sha256Digest::of(body) == leaf.body_sha256 {
        Body::True
    } else {
        Body::False
    }
}

/// The state of a command, and whose signature over it remains to be checked.
fn command<'k, 'a>(
    context: &Context<'k>,
    leaf: &LeafRef<'_>,
    command: &'a [u8],
) -> (Command, Option<(&'k PublicKey, CommandRef<'a>)>) {
    if command.is_empty() {
        return (Command::Empty, None);
    }
    if Sha256Digest::of(command) != leaf.command_sha256 {
        return (Command::False, None);
    }
    if context.hashes_only {
        return (Command::True, None);
    }
    let Ok(command) = CommandRef::parse(command) else { return (Command::Unreadable, None) };
    if command.ledger != context.origin.as_str() {
        return (Command::OtherLedger, None);
    }
    let Some(public) = context.keys.get(&command.key) else {
        return (Command::UnknownKey(command.key), None);
    };
    let same = (command.id, command.key) == (leaf.command, leaf.actor);
    let state = if same { Command::True } else { Command::OtherWords };
    (state, Some((public, command)))
}
