//! kill -9 at random times, two hundred times, on one ledger: every acknowledged command is there, none is torn, none
//! is invented. A notary signs all the while: what it published stands.

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, Write},
    ops::ControlFlow,
    process::{Command, Stdio},
    time::Duration,
};

use hefu_chain::checkpoint::Checkpoint;
use hefu_chain::leaf::LeafRef;
use hefu_engine::{Engine, Mode, Options, Prover, PublishError, Publisher, Reader, Schedule, Signer};
use uuid::Uuid;

use crate::bench_ledger::{Bench, ok, project, report, sign};

const DIR: &str = "HEFU_TEST_KILL_DIR";
const ROUNDS: u32 = 200;

/// What a writer said before it died.
#[derive(Default)]
struct Said {
    sent: HashSet<Uuid>,
    acknowledged: HashMap<Uuid, u64>,
    /// Commands that were submitted as one: all or none of them.
    together: Vec<Vec<Uuid>>,
    /// Checkpoints as they lay there when the writer was dead.
    published: Vec<Checkpoint>,
}

/// Not a test: the process that is killed.
#[test]
#[ignore = "run by the kill test as a child process"]
fn writer_to_be_killed() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let bench = Bench::at(dir.as_ref());
    let notary = Some(Schedule { every: Duration::from_micros(200), at_stop: true });
    let engine = Engine::open(&bench.dir, Options { index: false, notary, ..Options::default() }).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..3u64 {
            let (engine, bench) = (&engine, &bench);
            scope.spawn(move || {
                let mut signer = bench.signer();
                for round in 0.. {
                    let group = if round % 4 == 3 { 5 } else { 1 };
                    submit(engine, &mut signer, thread * 1_000_000 + round * 10, group);
                }
            });
        }
    });
}

fn submit(engine: &hefu_engine::Engine, signer: &mut Signer, value: u64, group: u64) {
    let (ids, bytes): (Vec<Uuid>, Vec<Vec<u8>>) =
        (0..group).map(|n| sign(engine, signer, "330108", report(value + n))).unzip();
    let names: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    line(&format!("SENT {}", names.join(" ")));
    let mode = if group > 1 { Mode::Atomic } else { Mode::Each };
    let answers = engine.submit(bytes, mode, None).wait().unwrap();
    let acks: Vec<String> = answers.iter().map(|a| format!("{}@{}", ok(a).id, ok(a).position)).collect();
    line(&format!("ACK {}", acks.join(" ")));
}

/// One write per line: a killed process leaves whole lines in the pipe.
fn line(text: &str) {
    let _ = std::io::stdout().lock().write_all(format!("\n{text}\n").as_bytes());
    let _ = std::io::stdout().lock().flush();
}

#[test]
fn no_acknowledged_command_is_lost_to_kill_9() {
    let bench = Bench::new();
    let engine = bench.open();
    project(&engine, &mut bench.signer());
    let first_size = engine.views().read().unwrap().size;
    engine.close().unwrap();
    let mut said = Said::default();
    let mut kills = 0;
    for round in 0..ROUNDS {
        // Spread over a whole commit and more, the same on every run.
        let pause = Duration::from_micros(u64::from(round * 7919 % 200) * 120);
        said.listen(&bench, pause);
        kills += 1;
        if round % 10 == 9 {
            said.check(&bench, first_size);
        }
    }
    said.check(&bench, first_size);
    let sizes: HashSet<u64> = said.published.iter().map(|checkpoint| checkpoint.size).collect();
    assert!(sizes.len() > 10, "the notary was at work: {}", sizes.len());
    assert!(kills == ROUNDS && said.acknowledged.len() > ROUNDS as usize, "{}", said.acknowledged.len());
}

impl Said {
    fn listen(&mut self, bench: &Bench, pause: Duration) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::writer_to_be_killed", "--ignored", "--nocapture", "--test-threads=1"])
            .env(DIR, &bench.dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut before_kill = true;
        while let Some(Ok(line)) = lines.next() {
            self.note(&line);
            if before_kill && line.starts_with("ACK") {
                before_kill = false;
                std::thread::sleep(pause);
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(!before_kill, "the writer stopped by itself");
        match Prover::open(&bench.dir) {
            Ok(prover) => self.published.push(prover.checkpoint().checkpoint.clone()),
            Err(PublishError::NoCheckpoint) => assert!(self.published.is_empty(), "a checkpoint is gone"),
            Err(error) => panic!("{error}"),
        }
    }

    fn note(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or_default();
        if word == "SENT" {
            let ids: Vec<Uuid> = rest.split(' ').map(|id| id.parse().unwrap()).collect();
            self.sent.extend(&ids);
            self.together.push(ids);
        } else if word == "ACK" {
            for ack in rest.split(' ') {
                let (id, position) = ack.split_once('@').unwrap();
                self.acknowledged.insert(id.parse().unwrap(), position.parse().unwrap());
            }
        }
    }

    fn check(&self, bench: &Bench, first_size: u64) {
        // Opening for writing repairs a torn tail; the reader then folds and checks the chain of everything.
        bench.open().close().unwrap();
        let reader = Reader::open(&bench.dir).unwrap();
        let mut recorded = HashMap::new();
        let visit = &mut |record: hefu_chain::record::RecordRef<'_>| {
            recorded.insert(LeafRef::parse(record.leaf).unwrap().command, record.position);
            ControlFlow::Continue(())
        };
        reader.log().scan(first_size, visit).unwrap();
        // Everything that was ever published is a part of what is published now.
        let newest = Publisher::open(&bench.dir).unwrap().checkpoint(&|_| {}).unwrap();
        assert_eq!(newest.checkpoint.size, reader.log_size());
        let prover = Prover::open(&bench.dir).unwrap();
        for Checkpoint { size, root, .. } in &self.published {
            assert_eq!(prover.root(*size).unwrap(), *root);
        }
        for (id, position) in &self.acknowledged {
            assert_eq!(recorded.get(id), Some(position), "acknowledged command {id}");
        }
        assert!(recorded.keys().all(|id| self.sent.contains(id)), "a command nobody sent");
        for group in &self.together {
            let there = group.iter().filter(|id| recorded.contains_key(id)).count();
            assert!(there == 0 || there == group.len(), "half of an atomic submission");
        }
    }
}
