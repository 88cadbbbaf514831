//! Bare loops: the unavoidable work alone, as the yardstick.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::Result;
use hefu_chain::{
    chain::ChainContext,
    hash::Sha256Digest,
    key::{Batch, PublicKey, Signature},
    origin::Origin,
};

/// A signed command taken apart beforehand, so that the loop only checks.
pub(super) struct Signed {
    pub(super) public: PublicKey,
    pub(super) message: Vec<u8>,
    pub(super) signature: Signature,
    pub(super) stored: Vec<u8>,
}

/// The median fdatasync after a 4 KiB write into a zero-filled file.
pub(super) fn fdatasync(dir: &Path, times: usize) -> Result<Duration> {
    let path = dir.join("fdatasync.tmp");
    let file = File::options().create(true).truncate(true).write(true).open(&path)?;
    file.write_all_at(&vec![0; 4096 * times], 0)?;
    file.sync_all()?;
    let page = [1; 4096];
    let mut samples = Vec::with_capacity(times);
    for number in 0..times as u64 {
        let start = Instant::now();
        file.write_all_at(&page, number * 4096)?;
        file.sync_data()?;
        samples.push(start.elapsed());
    }
    std::fs::remove_file(&path)?;
    samples.sort_unstable();
    Ok(samples[times / 2])
}

/// What a bulk load cannot avoid: one thread checks signatures in batches, one hashes (three SHA-256, one BLAKE3),
/// writes and syncs each batch.
pub(super) fn bulk(dir: &Path, commands: &[Signed], batch: usize) -> Result<Duration> {
    let path = dir.join("bulk.tmp");
    let file = File::options().create(true).truncate(true).write(true).open(&path)?;
    let origin: Origin = "bench.example/bare".parse()?;
    let chain = ChainContext::new(&origin);
    let start = Instant::now();
    let (sender, checked) = mpsc::sync_channel::<&[Signed]>(4);
    std::thread::scope(|scope| -> Result<()> {
        scope.spawn(move || {
            for part in commands.chunks(batch) {
                check(part);
                if sender.send(part).is_err() {
                    return;
                }
            }
        });
        let mut offset = 0;
        for part in checked {
            let mut bytes = Vec::with_capacity(part.len() * 1200);
            for command in part {
                hash(&chain, &command.stored);
                // Leaf and body together are about as long as the command once more.
                bytes.extend_from_slice(&command.stored);
                bytes.extend_from_slice(&command.stored);
            }
            file.write_all_at(&bytes, offset)?;
            file.sync_data()?;
            offset += bytes.len() as u64;
        }
        Ok(())
    })?;
    let took = start.elapsed();
    std::fs::remove_file(&path)?;
    Ok(took)
}

/// Batched signature checks.
pub(super) fn check(commands: &[Signed]) {
    for part in commands.chunks(256) {
        let mut batch = Batch::default();
        for command in part {
            batch.queue(&command.public, &command.message, &command.signature);
        }
        assert!(batch.verify().into_iter().all(|right| right), "the journal's signatures are right");
    }
}

/// The hashes of one record: body, command, leaf twice.
pub(super) fn hash(chain: &ChainContext, stored: &[u8]) {
    std::hint::black_box(Sha256Digest::of(stored));
    let (leaf, body) = stored.split_at(stored.len().min(480));
    std::hint::black_box(Sha256Digest::of(body));
    std::hint::black_box(Sha256Digest::of(leaf));
    std::hint::black_box(chain.link(leaf));
}
