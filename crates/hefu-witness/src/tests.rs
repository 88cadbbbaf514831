//! The protocol step by step, evidence that convinces others, disks that fail, requests all at once.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use hefu_chain::{
    add_checkpoint::AddCheckpoint,
    checkpoint::Checkpoint,
    evidence::{BadEvidence, Evidence, Finding, Kind},
    key::SecretKey,
    note::{Note, VerifierKey},
    source::MemorySource,
    tile::{TileBuilder, encode_hashes},
    tree::{self, MemoryTree, TreeHash},
};
use tempfile::TempDir;

use crate::*;

const ORIGIN: &str = "ledger.example/moves";

/// A log as its operator has it, who may do with it what he likes.
#[derive(Clone)]
struct Operator {
    leaves: Vec<TreeHash>,
}

impl Operator {
    fn new(size: u32) -> Operator {
        Operator { leaves: Vec::new() }.grown(size, "")
    }

    /// More records, which differ from those of other histories by what they say.
    fn grown(mut self, more: u32, say: &str) -> Operator {
        let at = self.leaves.len();
        self.leaves.extend((0..more).map(|n| TreeHash::leaf(format!("{say}{at}+{n}").as_bytes())));
        self
    }

    /// A backup of an earlier day.
    fn restored(&self, size: usize) -> Operator {
        Operator { leaves: self.leaves[..size].to_vec() }
    }

    fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    fn tree(&self) -> MemoryTree {
        self.leaves.iter().copied().collect()
    }

    fn key() -> SecretKey {
        SecretKey::from_seed([1; 32])
    }

    fn verifier() -> VerifierKey {
        VerifierKey::of_log(&ORIGIN.parse().unwrap(), Operator::key().public()).unwrap()
    }

    fn signed_by(&self, key: &SecretKey) -> Note {
        let root = tree::root(&mut self.tree(), self.size()).unwrap();
        Checkpoint { origin: ORIGIN.parse().unwrap(), size: self.size(), root }.sign(key).unwrap()
    }

    fn request(&self, old: u64) -> AddCheckpoint {
        let proof = tree::consistency(&mut self.tree(), old.min(self.size()), self.size()).unwrap();
        AddCheckpoint { old, proof, checkpoint: self.signed_by(&Operator::key()) }
    }

    fn site(&self) -> MemorySource {
        let mut site = MemorySource::default();
        let mut builder = TileBuilder::new();
        for leaf in &self.leaves {
            for (tile, hashes) in builder.push(*leaf) {
                site.0.insert(tile.to_string(), encode_hashes(&hashes));
            }
        }
        for (tile, hashes) in builder.partials() {
            site.0.insert(tile.to_string(), encode_hashes(hashes));
        }
        site
    }
}

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = TempDir::new().unwrap();
        let dir = folder.path().join("w");
        Witness::create(&dir, "witness.example/330100".parse().unwrap(), [2; 32]).unwrap();
        Witness::add_log(&dir, Operator::verifier()).unwrap();
        Place { folder }
    }

    fn dir(&self) -> std::path::PathBuf {
        self.folder.path().join("w")
    }

    fn open(&self) -> Witness {
        Witness::open(&self.dir()).unwrap()
    }

    fn evidence(&self) -> Vec<Evidence> {
        let files = evidence_files(&self.dir()).unwrap();
        files.iter().map(|path| Evidence::parse(&fs::read(path).unwrap()).unwrap()).collect()
    }
}

fn ask(witness: &Witness, request: &AddCheckpoint) -> Reply {
    witness.add_checkpoint(request.to_string().as_bytes(), 1_767_225_600)
}

/// The statuses of c2sp.org/tlog-witness, in the order a life may take.
#[test]
fn the_protocol_step_by_step() {
    let place = Place::new();
    let witness = place.open();
    let (five, eight) = (Operator::new(5), Operator::new(5).grown(3, ""));
    let forked = Operator::new(4).grown(4, "other");
    let altered = |change: &dyn Fn(String) -> String| change(eight.request(5).to_string());
    let proof_line = format!("{}\n", eight.request(5).proof[0]);
    let other_log = Checkpoint { origin: "other.example".parse().unwrap(), size: 1, root: TreeHash::EMPTY };
    let empty_with_root = {
        let text = format!("{ORIGIN}\n0\n{}\n", TreeHash::leaf(b"x"));
        let name = Operator::verifier().name().clone();
        let line = hefu_chain::note::NoteSignature::ed25519(&name, &Operator::key(), &text).unwrap();
        format!("old 0\n\n{}", Note::new(text, line).unwrap())
    };
    let extended = {
        let text = format!("{}extension\n", eight.request(0).checkpoint.text());
        let name = Operator::verifier().name().clone();
        let line = hefu_chain::note::NoteSignature::ed25519(&name, &Operator::key(), &text).unwrap();
        format!("old 0\n\n{}", Note::new(text, line).unwrap())
    };
    let stranger = AddCheckpoint {
        old: 0,
        proof: Vec::new(),
        checkpoint: five.signed_by(&SecretKey::from_seed([9; 32])),
    };
    let steps: Vec<(&str, String, u16, &str)> = vec![
        (
            "a log nobody told it of",
            format!("old 0\n\n{}", other_log.sign(&Operator::key()).unwrap()),
            404,
            "",
        ),
        ("a key nobody told it of", stranger.to_string(), 403, ""),
        ("not a request", "hello".to_owned(), 400, ""),
        ("an extension line", extended, 400, ""),
        ("an empty log with a root", empty_with_root, 422, ""),
        ("from a size it never saw", five.request(3).to_string(), 409, "0\n"),
        (
            "the first checkpoint, with a proof of nothing",
            five.request(0).to_string().replace("old 0\n", &format!("old 0\n{proof_line}")),
            422,
            "",
        ),
        ("the first checkpoint", five.request(0).to_string(), 200, ""),
        ("the same again, as if new", five.request(0).to_string(), 409, "5\n"),
        ("the same again, as known", five.request(5).to_string(), 200, ""),
        ("more than the checkpoint has", five.request(6).to_string(), 400, ""),
        ("growth without its proof", altered(&|text| text.replace(&proof_line, "")), 422, ""),
        (
            "growth with a wrong proof",
            altered(&|text| text.replace(&proof_line, &format!("{}\n", TreeHash::EMPTY))),
            422,
            "",
        ),
        ("growth", eight.request(5).to_string(), 200, ""),
        ("another history of the same size", forked.request(8).to_string(), 422, ""),
        ("a day before", five.request(5).to_string(), 409, "8\n"),
    ];
    for (step, request, status, body) in steps {
        let reply = witness.add_checkpoint(request.as_bytes(), 1_767_225_600);
        assert_eq!(reply.status(), status, "{step}: {}", reply.body());
        if status == 409 {
            assert_eq!((reply.body().as_str(), reply.content_type()), (body, "text/x.tlog.size"), "{step}");
        }
    }
    let hash = origin_hash(&ORIGIN.parse().unwrap());
    let latest = witness.latest(&hash).unwrap();
    assert_eq!(latest.text(), eight.request(0).checkpoint.text());
    let keys = [Operator::verifier(), witness.verifier().clone()];
    let opened = Checkpoint::open(&latest, &keys).unwrap();
    assert_eq!(opened.signatures[1].time, Some(1_767_225_600));
    assert_eq!(witness.latest("00"), None);
}

/// sha256 of the origin of worked example A.
#[test]
fn a_log_is_found_by_the_hash_of_its_name() {
    let expected = "f03554338e209d107a7a5252e13b5608c2c7737d2ddc2a3d7623e8fa5a9e6497";
    assert_eq!(origin_hash(&ORIGIN.parse().unwrap()), expected);
}

#[test]
fn what_was_cosigned_outlives_the_process() {
    let place = Place::new();
    let (five, eight) = (Operator::new(5), Operator::new(5).grown(3, ""));
    assert_eq!(ask(&place.open(), &five.request(0)).status(), 200);
    assert_eq!(ask(&place.open(), &eight.request(0)).body(), "5\n");
    assert_eq!(ask(&place.open(), &eight.request(5)).status(), 200);
    // A further key does not make it forget, and the lock keeps a second process out.
    let witness = place.open();
    let second =
        VerifierKey::of_log(&ORIGIN.parse().unwrap(), SecretKey::from_seed([7; 32]).public()).unwrap();
    assert!(matches!(Witness::add_log(&place.dir(), second.clone()), Err(WitnessError::Busy(_))));
    assert!(matches!(Witness::open(&place.dir()), Err(WitnessError::Busy(_))));
    drop(witness);
    Witness::add_log(&place.dir(), second).unwrap();
    assert_eq!(Witness::look(&place.dir()).unwrap().1[0].size(), 8);
}

#[test]
fn a_witness_without_its_memory_does_not_work() {
    let place = Place::new();
    assert_eq!(ask(&place.open(), &Operator::new(5).request(0)).status(), 200);
    let state = place.dir().join("state").join(format!("{}.json", origin_hash(&ORIGIN.parse().unwrap())));
    let bytes = fs::read(&state).unwrap();
    fs::remove_file(&state).unwrap();
    assert!(matches!(Witness::open(&place.dir()), Err(WitnessError::Forgotten { .. })));
    assert!(matches!(
        Witness::add_log(&place.dir(), Operator::verifier()),
        Err(WitnessError::Forgotten { .. })
    ));
    // Any flipped bit is noticed, or leaves the same memory.
    let before = {
        fs::write(&state, &bytes).unwrap();
        Witness::look(&place.dir()).unwrap().1
    };
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        fs::write(&state, &flipped).unwrap();
        match Witness::look(&place.dir()) {
            Ok((_, states)) => assert_eq!(states[0].size(), before[0].size()),
            Err(error) => assert!(matches!(error, WitnessError::BadFile { .. }), "{error}"),
        }
    }
}

#[test]
fn two_histories_of_one_size_convince_anybody() {
    let place = Place::new();
    let witness = place.open();
    let honest = Operator::new(8);
    let forked = Operator::new(4).grown(4, "other");
    assert_eq!(ask(&witness, &honest.request(0)).status(), 200);
    assert_eq!(ask(&witness, &honest.clone().grown(2, "").request(8)).status(), 200);
    // Whatever size it claims to start from: here 8, of which the witness knows another root.
    assert_eq!(ask(&witness, &forked.request(0)).status(), 409);
    let [evidence] = &place.evidence()[..] else { panic!("one file") };
    assert_eq!(evidence.kind, Kind::Fork);
    let keys = [Operator::verifier()];
    assert!(matches!(evidence.check(&keys), Ok(Finding::Proven { size: 8, .. })));
    // Nobody can make such a file against a log without its key.
    let foreign =
        VerifierKey::of_log(&ORIGIN.parse().unwrap(), SecretKey::from_seed([3; 32]).public()).unwrap();
    assert!(matches!(evidence.check(&[foreign]), Err(BadEvidence::Unsigned(_))));
    let same = Evidence { offered: evidence.seen.clone(), ..evidence.clone() };
    assert_eq!(same.check(&keys), Ok(Finding::Cleared));
    assert_eq!(Evidence::parse(&evidence.to_bytes()), Ok(evidence.clone()));
    // The same offer again is the same file.
    assert_eq!(ask(&witness, &forked.request(0)).status(), 409);
    assert_eq!(place.evidence().len(), 1);
}

/// The operator goes on from a forged past and sends the proof that his new history has: it convicts him.
#[test]
fn a_proof_of_another_past_convinces_anybody() {
    let place = Place::new();
    let witness = place.open();
    assert_eq!(ask(&witness, &Operator::new(7).request(0)).status(), 200);
    let forked = Operator::new(3).grown(8, "other");
    assert_eq!(ask(&witness, &forked.request(7)).status(), 422);
    let [evidence] = &place.evidence()[..] else { panic!("one file") };
    assert!(matches!(evidence.check(&[Operator::verifier()]), Ok(Finding::Proven { size: 7, .. })));
}

/// A smaller checkpoint alone proves nothing; with the log's own tiles it does.
#[test]
fn a_rollback_is_kept_and_the_logs_tiles_decide() {
    let place = Place::new();
    let witness = place.open();
    let honest = Operator::new(300);
    assert_eq!(ask(&witness, &honest.request(0)).status(), 200);
    let restored = honest.restored(100).grown(50, "after the backup");
    assert_eq!(ask(&witness, &restored.request(0)).status(), 409);
    let old_day = honest.restored(120);
    assert_eq!(ask(&witness, &old_day.request(0)).status(), 409);
    let keys = [Operator::verifier()];
    let mut found = place.evidence();
    found.sort_by_key(|evidence| evidence.offered.text().lines().nth(1).unwrap().parse::<u64>().unwrap());
    let [day, rollback] = &mut found[..] else { panic!("two files") };
    for evidence in [&*day, &*rollback] {
        assert_eq!(evidence.kind, Kind::Rollback);
        assert!(matches!(evidence.check(&keys), Ok(Finding::Open { .. })));
    }
    // Tiles of another history are not the log's word and decide nothing.
    assert!(matches!(
        rollback.ask(&keys, &restored.clone().grown(150, "").site()),
        Err(BadEvidence::Tiles(_))
    ));
    rollback.ask(&keys, &honest.site()).unwrap();
    assert!(matches!(rollback.check(&keys), Ok(Finding::Proven { size: 150, .. })));
    day.ask(&keys, &honest.site()).unwrap();
    assert_eq!(day.check(&keys), Ok(Finding::Cleared));
    // A prefix that does not lead to the larger checkpoint proves nothing against anybody.
    let mut forged = rollback.clone();
    forged.prefix.as_mut().unwrap().root = TreeHash::EMPTY;
    assert_eq!(forged.check(&keys), Err(BadEvidence::Prefix));
}

/// Anybody can send a log's checkpoint with a wrong proof; once the right one comes, nothing is held against the log.
#[test]
fn a_strangers_wrong_proof_is_forgiven() {
    let place = Place::new();
    let witness = place.open();
    let (five, eight) = (Operator::new(5), Operator::new(5).grown(3, ""));
    assert_eq!(ask(&witness, &five.request(0)).status(), 200);
    let wrong = AddCheckpoint { proof: vec![TreeHash::EMPTY; 4], ..eight.request(5) };
    assert_eq!(ask(&witness, &wrong).status(), 422);
    assert_eq!(place.evidence().len(), 1);
    assert!(matches!(place.evidence()[0].check(&[Operator::verifier()]), Ok(Finding::Open { .. })));
    assert_eq!(ask(&witness, &eight.request(5)).status(), 200);
    assert_eq!(place.evidence().len(), 0);
}

/// A disk on which the n-th write fails, before or after it took effect.
struct Failing {
    left: AtomicUsize,
    done: bool,
}

impl Disk for Arc<Failing> {
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            0 => {
                if self.done {
                    Files.replace(path, bytes)?;
                }
                Err(io::Error::other("the disk is full"))
            }
            _ => Files.replace(path, bytes),
        }
    }
}

/// Whichever write fails, no cosignature goes out, then or later; started again, it goes on from what its disk has.
#[test]
fn nothing_is_cosigned_after_a_failed_write() {
    let (five, eight) = (Operator::new(5), Operator::new(5).grown(3, ""));
    for done in [false, true] {
        // Opening writes once; then the checkpoint seen and the state.
        for write in 1..=2 {
            let place = Place::new();
            assert_eq!(ask(&place.open(), &five.request(0)).status(), 200);
            let disk = Arc::new(Failing { left: AtomicUsize::new(write), done });
            let witness = Witness::open_on(&place.dir(), Box::new(disk)).unwrap();
            let reply = ask(&witness, &eight.request(5));
            assert_eq!((reply.status(), reply.body().as_str()), (500, "the witness cannot cosign now\n"));
            for request in [eight.request(5), five.request(5), eight.request(8)] {
                assert_eq!(ask(&witness, &request).status(), 500);
            }
            drop(witness);
            let size = if done && write == 2 { 8 } else { 5 };
            assert_eq!(ask(&place.open(), &eight.request(size)).status(), 200);
        }
    }
}

/// The answer was lost on the way, or the witness died before it: asking again gives the cosignature.
#[test]
fn a_lost_answer_is_asked_for_again() {
    let place = Place::new();
    let eight = Operator::new(8);
    let lost = ask(&place.open(), &eight.request(0));
    assert_eq!(lost.status(), 200);
    let witness = place.open();
    let conflict = ask(&witness, &eight.request(0));
    assert_eq!((conflict.status(), conflict.body().as_str()), (409, "8\n"));
    assert_eq!(ask(&witness, &eight.request(8)).status(), 200);
}

/// Two histories race; whatever the order, only one is cosigned at each size, and sizes never go back.
#[test]
fn requests_all_at_once_see_one_history() {
    let place = Place::new();
    let witness = place.open();
    let base = Operator::new(6);
    assert_eq!(ask(&witness, &base.request(0)).status(), 200);
    let ways: Vec<Operator> =
        (1..5).flat_map(|more| ["a", "b"].map(|say| base.clone().grown(more, say))).collect();
    let granted: Vec<Note> = thread::scope(|scope| {
        let asked: Vec<_> = ways
            .iter()
            .map(|way| {
                let witness = &witness;
                scope.spawn(move || {
                    let reply = ask(witness, &way.request(6));
                    (reply.status() == 200).then(|| way.request(6).checkpoint)
                })
            })
            .collect();
        asked.into_iter().filter_map(|asked| asked.join().unwrap()).collect()
    });
    // All start from 6: one gets it, the others hear how far it went.
    let [granted] = &granted[..] else { panic!("{granted:?}") };
    let hash = origin_hash(&ORIGIN.parse().unwrap());
    assert_eq!(witness.latest(&hash).unwrap().text(), granted.text());
}
