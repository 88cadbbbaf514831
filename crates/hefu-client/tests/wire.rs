//! Client, server and witness together, over loopback.
#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::Duration,
};

use hefu_chain::{
    checkpoint::Checkpoint,
    evidence::{Evidence, Finding},
    key::SecretKey,
    note::{Note, VerifierKey},
    policy::Policy,
    source::Source,
    tile::{Kind, Tile, TileBuilder, encode_entries, encode_hashes},
    tree::{self, MemoryTree, TreeHash},
};
use hefu_client::{
    AlarmKind, FailMode, Http, LogKey, Memory, Outcome, Shortfall, Site, Standing, Watched, collect,
    standings, watch,
};
use hefu_server::{Limits, Listen, Running, Server, ServerError};
use hefu_witness::{Witness, evidence_files};
use tempfile::TempDir;

const ORIGIN: &str = "ledger.example/moves";

fn log_key() -> SecretKey {
    SecretKey::from_seed([1; 32])
}

fn logs() -> [LogKey; 1] {
    [LogKey::lasting(log())]
}

fn log() -> VerifierKey {
    VerifierKey::of_log(&ORIGIN.parse().unwrap(), log_key().public()).unwrap()
}

/// A log as its operator has it: entries that are leaves only as bytes.
#[derive(Clone)]
struct Operator(Vec<String>);

impl Operator {
    fn new(size: usize) -> Operator {
        Operator(Vec::new()).grown(size, "honest")
    }

    fn grown(mut self, more: usize, say: &str) -> Operator {
        let at = self.0.len();
        self.0.extend((0..more).map(|n| format!("{say} {}", at + n)));
        self
    }

    fn restored(&self, size: usize) -> Operator {
        Operator(self.0[..size].to_vec())
    }

    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn tree(&self) -> MemoryTree {
        self.0.iter().map(|entry| TreeHash::leaf(entry.as_bytes())).collect()
    }

    fn root_at(&self, size: u64) -> TreeHash {
        tree::root(&mut self.tree(), size).unwrap()
    }

    fn prove(&self, old: u64) -> Result<Vec<TreeHash>, String> {
        tree::consistency(&mut self.tree(), old, self.size()).map_err(|error| error.to_string())
    }

    fn checkpoint(&self) -> Note {
        let (origin, size) = (ORIGIN.parse().unwrap(), self.size());
        Checkpoint { origin, size, root: self.root_at(size) }.sign(&log_key()).unwrap()
    }

    /// Writes the site as it is now over what is there.
    fn publish(&self, folder: &Path) {
        let write = |tile: Tile, bytes: Vec<u8>| {
            let path = folder.join(tile.to_string());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        let mut builder = TileBuilder::new();
        for entry in &self.0 {
            for (tile, hashes) in builder.push(TreeHash::leaf(entry.as_bytes())) {
                write(tile, encode_hashes(&hashes));
            }
        }
        for (tile, hashes) in builder.partials() {
            write(tile, encode_hashes(hashes));
        }
        for (chunk, index) in self.0.chunks(256).zip(0..) {
            let tile = Tile::at(Kind::Entries, index, self.size()).unwrap();
            write(tile, encode_entries(chunk.iter().map(String::as_bytes)).unwrap());
        }
        fs::write(folder.join("checkpoint"), self.checkpoint().to_string()).unwrap();
    }
}

/// One region's witness, in a folder of its own, on a port of its own.
struct Region {
    folder: TempDir,
    key: VerifierKey,
    running: Option<Running>,
}

impl Region {
    fn new(code: u8) -> Region {
        let folder = TempDir::new().unwrap();
        let name = format!("witness.example/3301{code:02}").parse().unwrap();
        let key = Witness::create(&folder.path().join("w"), name, [code; 32]).unwrap();
        Witness::add_log(&folder.path().join("w"), log()).unwrap();
        let mut region = Region { folder, key, running: None };
        region.start();
        region
    }

    fn dir(&self) -> std::path::PathBuf {
        self.folder.path().join("w")
    }

    fn start(&mut self) {
        let witness = Arc::new(Witness::open(&self.dir()).unwrap());
        self.running = Some(server(Limits::default()).spawn(hefu_server::witness(witness)).unwrap());
    }

    fn stop(&mut self) {
        self.running = None;
    }

    fn url(&self) -> String {
        self.running.as_ref().map_or("http://127.0.0.1:9".to_owned(), Running::url)
    }

    fn evidence(&self) -> Vec<Evidence> {
        let files = evidence_files(&self.dir()).unwrap();
        files.iter().map(|path| Evidence::parse(&fs::read(path).unwrap()).unwrap()).collect()
    }
}

fn server(limits: Limits) -> Server {
    let address = "127.0.0.1:0".parse().unwrap();
    Server::listen(Listen { address, exposed: false }, limits).unwrap()
}

fn http() -> Http {
    Http::new(Duration::from_secs(20))
}

fn policy(regions: &[Region], quorum: usize) -> Policy {
    let mut text = format!("log {}\n", log());
    let mut group = format!("group regions {quorum}");
    for (region, at) in regions.iter().zip(0..) {
        text = format!("{text}witness w{at} {} {}\n", region.key, region.url());
        group = format!("{group} w{at}");
    }
    format!("{text}{group}\nquorum regions\n").parse().unwrap()
}

fn ask(policy: &Policy, operator: &Operator, known: u64) -> hefu_client::Collected {
    collect(&http(), policy, &logs(), &operator.checkpoint(), known, &|old| operator.prove(old)).unwrap()
}

#[test]
fn three_regions_watch_one_log() {
    let mut regions = [Region::new(1), Region::new(2), Region::new(3)];
    let five = Operator::new(5);
    let first = ask(&policy(&regions, 3), &five, 0);
    assert!(first.quorum, "{:?}", first.outcomes);
    first.judge(FailMode::Closed).unwrap();
    assert_eq!(first.note.signatures().len(), 4);

    // One is away for a while; two are enough. Started again, it is asked from where it stands.
    regions[2].stop();
    let eight = five.clone().grown(3, "honest");
    let second = ask(&policy(&regions, 2), &eight, 5);
    assert!(second.quorum && matches!(second.outcomes[2].1, Outcome::Failed(_)), "{:?}", second.outcomes);
    second.judge(FailMode::Closed).unwrap();
    let strict = ask(&policy(&regions, 3), &eight, 5);
    assert_eq!(strict.judge(FailMode::Closed), Err(Shortfall::Quorum { missing: vec!["w2".to_owned()] }));
    strict.judge(FailMode::Open).unwrap();
    regions[2].start();
    let third = ask(&policy(&regions, 3), &eight.grown(300, "honest"), 8);
    assert!(third.quorum, "{:?}", third.outcomes);
    assert!(regions.iter().all(|region| region.evidence().is_empty()));
}

/// The operator restores an old backup and writes another history over the rest. Every witness holds him to what it
/// saw, in every fail mode, and a court can read it from the file.
#[test]
fn an_operator_with_two_histories_is_caught() {
    let regions = [Region::new(1), Region::new(2)];
    let policy = policy(&regions, 1);
    let honest = Operator::new(40);
    assert!(ask(&policy, &honest, 0).quorum);
    // As many records as before, more, fewer.
    for (forged, known) in [
        (honest.restored(30).grown(10, "forged"), 40),
        (honest.restored(30).grown(20, "forged"), 40),
        (honest.restored(30).grown(5, "forged"), 0),
    ] {
        let collected = ask(&policy, &forged, known);
        for mode in [FailMode::Open, FailMode::Closed] {
            let Err(Shortfall::Contradicted { size, note, .. }) = collected.judge(mode) else { panic!() };
            assert_eq!((size, note.text()), (40, honest.checkpoint().text()));
        }
        let roots = |size| Ok(forged.root_at(size));
        let origin = ORIGIN.parse().unwrap();
        let standing = standings(&http(), &policy, &logs(), &origin, forged.size(), &roots);
        assert!(
            standing.iter().all(|(_, standing)| match standing {
                Standing::Ahead(..) => forged.size() < 40,
                Standing::Differs(..) => forged.size() >= 40,
                Standing::Agrees(..) | Standing::New | Standing::Silent(_) => false,
            }),
            "{standing:?}"
        );
    }
    // To a third party who has the files and the log's public key, and then the log's own tiles.
    for region in &regions {
        let mut found = region.evidence();
        assert_eq!(found.len(), 3);
        let proven = |found: &[Evidence]| {
            found.iter().filter(|file| matches!(file.check(&[log()]), Ok(Finding::Proven { .. }))).count()
        };
        assert_eq!(proven(&found), 2);
        let site = TempDir::new().unwrap();
        honest.publish(site.path());
        let running = server(Limits::default()).spawn(hefu_server::tiles(site.path().to_owned())).unwrap();
        let site = Site::new(http(), &running.url()).unwrap();
        for file in &mut found {
            file.ask(&[log()], &site).unwrap_or(());
        }
        assert_eq!(proven(&found), 3);
    }
    let roots = |size| Ok(honest.root_at(size));
    let standing = standings(&http(), &policy, &logs(), &ORIGIN.parse().unwrap(), 40, &roots);
    assert!(standing.iter().all(|(_, standing)| matches!(standing, Standing::Agrees(..))), "{standing:?}");
}

/// A witness that lies about what it saw cannot stop anybody: it has no signature of the log to show.
#[test]
fn a_witness_that_cannot_show_it_is_only_missing() {
    let (liar, honest) = (Region::new(1), Region::new(2));
    // It watches the log with another history, signed by another key under the log's name.
    let text = policy(&[liar, honest], 1).to_string();
    let five = Operator::new(5);
    let away = text.replacen("http://127.0.0.1", "http://127.0.0.1:1/nowhere?", 1);
    let collected = ask(&away.parse().unwrap(), &five, 0);
    assert!(matches!(collected.outcomes[0].1, Outcome::Failed(_)));
    assert_eq!(collected.judge(FailMode::Closed).is_ok(), collected.quorum);
}

fn exchange(running: &Running, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(running.address()).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    // A server may close before it has read everything; what it said counts.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_site_gives_its_files_and_nothing_else() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("secret"), "secret").unwrap();
    let folder = place.path().join("site");
    Operator::new(300).publish(&folder);
    fs::write(folder.join("export.part"), "half").unwrap();
    let running = server(Limits::default()).spawn(hefu_server::tiles(folder.clone())).unwrap();
    let get = |method: &str, path: &str| {
        exchange(
            &running,
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes(),
        )
    };
    let checkpoint = get("GET", "/checkpoint");
    assert!(checkpoint.starts_with("HTTP/1.1 200 OK\r\n"), "{checkpoint}");
    assert!(
        checkpoint.contains("content-type: text/plain") && checkpoint.contains("cache-control: no-cache")
    );
    let tile = get("HEAD", "/tile/0/000");
    assert!(tile.starts_with("HTTP/1.1 200 OK\r\n") && tile.ends_with("\r\n\r\n"), "{tile}");
    assert!(tile.contains("content-length: 8192") && tile.contains("immutable"), "{tile}");
    assert!(tile.contains("content-type: application/octet-stream"));
    for path in [
        "/",
        "/secret",
        "/../secret",
        "/tile/../../secret",
        "/tile/%2e%2e/%2e%2e/secret",
        "/tile/0/..%2f..%2fsecret",
        "/tile/0/0",
        "/tile/0/x000/000",
        "/tile/00/000",
        "/tile/0/001",
        "/tile/0/001.p/45",
        "/tile/0/000/",
        "/export.part",
        "/tile/entries/%00",
        "//etc/passwd",
    ] {
        let answer = get("GET", path);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(!answer.contains("secret"), "{path}");
    }
    assert!(get("POST", "/checkpoint").starts_with("HTTP/1.1 405 "));
    // The source reads the same bytes as lie there.
    let site = Site::new(http(), &format!("{}/", running.url())).unwrap();
    for path in ["checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"] {
        assert_eq!(site.read(path).unwrap(), Some(fs::read(folder.join(path)).unwrap()), "{path}");
    }
    assert_eq!(site.read("tile/0/002").unwrap(), None);
    assert!(Site::new(http(), "ftp://x").is_none());
    drop(running);
    assert!(site.read("checkpoint").is_err());
}

#[test]
fn large_and_slow_requests_are_refused() {
    let region = Region::new(1);
    let running = region.running.as_ref().unwrap();
    let head = |len: usize| {
        format!(
            "POST /add-checkpoint HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len}\r\n\r\n"
        )
    };
    let large = hefu_witness::MAX_REQUEST + 1;
    let answer = exchange(running, &[head(large).as_bytes(), &vec![b'x'; large]].concat());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let chunked =
        "POST /add-checkpoint HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 32 * 1024, "x".repeat(32 * 1024));
    let answer = exchange(running, format!("{chunked}{}0\r\n\r\n", chunk.repeat(4)).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // The body never comes, then not even the head: both are told to go.
    let limit = Duration::from_millis(200);
    let witness = TempDir::new().unwrap();
    Witness::create(&witness.path().join("w"), "w".parse().unwrap(), [1; 32]).unwrap();
    let witness = Arc::new(Witness::open(&witness.path().join("w")).unwrap());
    let limits = Limits { head: limit, request: limit, ..Limits::default() };
    let impatient = server(limits).spawn(hefu_server::witness(witness)).unwrap();
    let answer = exchange(&impatient, format!("{}half", head(100)).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let answer = exchange(&impatient, b"POST /add-checkpoint HTTP/1.1\r\nhost");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[test]
fn others_are_let_in_only_if_somebody_says_so() {
    let listen = |address: &str, exposed| {
        Server::listen(Listen { address: address.parse().unwrap(), exposed }, Limits::default())
    };
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        assert!(matches!(listen(address, false), Err(ServerError::Exposed(_))), "{address}");
    }
    assert!(listen("0.0.0.0:0", true).is_ok());
    assert!(listen("127.0.0.1:0", false).is_ok());
    let taken = server(Limits::default());
    let address = taken.address().unwrap().to_string();
    assert!(matches!(listen(&address, false), Err(ServerError::Bind { .. })));
}

fn run(site: &dyn Source, memory: &mut Option<Memory>) -> Watched {
    let watched = watch(site, &[log()], memory.as_ref(), &|_| true).unwrap();
    memory.clone_from(&watched.memory);
    watched
}

fn alarm(site: &dyn Source, memory: &mut Option<Memory>) -> hefu_client::Alarm {
    let before = memory.clone();
    let alarm = run(site, memory).alarm.unwrap();
    assert_eq!(*memory, before, "an alarm leaves the memory as it was");
    alarm
}

#[test]
fn a_watch_holds_a_site_to_what_it_saw() {
    let place = TempDir::new().unwrap();
    let folder = place.path();
    let running = server(Limits::default()).spawn(hefu_server::tiles(folder.to_owned())).unwrap();
    let site = Site::new(http(), &running.url()).unwrap();
    let mut memory = None;
    assert!(watch(&site, &[log()], None, &|_| true).is_err(), "no checkpoint: nothing can be said");
    let honest = Operator::new(300);
    honest.publish(folder);
    let first = run(&site, &mut memory);
    assert_eq!((first.alarm, first.read, first.before), (None, 300, None));
    let again = run(&site, &mut memory);
    assert_eq!((again.alarm, again.read), (None, 0));
    let more = honest.clone().grown(400, "honest");
    more.publish(folder);
    let grown = run(&site, &mut memory);
    assert_eq!((grown.alarm, grown.read), (None, 400));

    // Rolled back, forked at the same size, forked further on.
    honest.publish(folder);
    assert_eq!(alarm(&site, &mut memory).kind, AlarmKind::Rollback);
    for more in [400, 500] {
        honest.clone().grown(more, "forged").publish(folder);
        let alarm = alarm(&site, &mut memory);
        assert_eq!(alarm.kind, AlarmKind::Fork, "{}", alarm.what);
        assert!(matches!(alarm.evidence.unwrap().check(&[log()]), Ok(Finding::Proven { .. })));
    }
    // Signed by somebody else.
    fs::write(folder.join("checkpoint"), more.checkpoint().to_string().replace("700\n", "701\n")).unwrap();
    assert_eq!(alarm(&site, &mut memory).kind, AlarmKind::BadSignature);

    // An entry altered after it was signed is told by its position; the watch goes on when it is repaired.
    let next = more.grown(100, "honest");
    next.publish(folder);
    let bundle = folder.join("tile/entries/003.p/32");
    let good = fs::read(&bundle).unwrap();
    let mut bad = good.clone();
    let at = bad.windows(10).position(|word| word == b"honest 777").unwrap();
    bad[at] ^= 1;
    fs::write(&bundle, &bad).unwrap();
    let damaged = alarm(&site, &mut memory);
    assert_eq!((damaged.kind, damaged.positions), (AlarmKind::Damaged, vec![777]));
    fs::write(&bundle, &good).unwrap();
    // A hash tile altered: the tree does not lead to the signed root.
    let tile = folder.join("tile/1/000.p/3");
    let good = fs::read(&tile).unwrap();
    let mut bad = good.clone();
    bad[0] ^= 1;
    fs::write(&tile, &bad).unwrap();
    assert_eq!(alarm(&site, &mut memory).kind, AlarmKind::Damaged);
    fs::write(&tile, &good).unwrap();
    assert_eq!(run(&site, &mut memory).alarm, None);
}
