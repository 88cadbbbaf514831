//! `hefu audit verify FILE`: a proof file checked offline, with nothing but the log's key.

use std::path::Path;

use hefu_chain::{
    checkpoint::{Checkpoint, Untrusted},
    leaf::{Leaf, LeafRef},
    note::Distrust,
    policy::Policy,
    proof::{MAGIC, TlogProof, Unproven},
    tree::{BadProof, TreeHash, verify_inclusion},
    verify::Verdict,
};
use serde_json::json;

use super::key::LogKey;
use crate::{
    context::{Context, read_file},
    error::{CliError, Result, exit},
    lang::{Text, text},
    render::{self, Page},
};

/// What a proof file turned out to be.
struct Judged {
    verdict: Verdict,
    /// What stands in the way of a better verdict.
    why: Option<Text>,
    /// What the file says, true or not.
    proof: Option<TlogProof>,
}

/// Judges a proof file.
pub(super) fn run(
    context: &Context,
    path: &Path,
    key: Option<&LogKey>,
    policy: Option<&Policy>,
) -> Result<u8> {
    let bytes = read_file(path)?;
    if !bytes.strip_prefix(MAGIC.as_bytes()).is_some_and(|rest| rest.starts_with(b"\n")) {
        let name = path.display().to_string();
        let message = text(
            format!("{name} 既不是账本或站点目录,也不是证明文件或证据包"),
            format!("{name} is neither a ledger, a site, a proof nor a bundle"),
        );
        let why =
            text(format!("证明文件的第一行是 `{MAGIC}`"), format!("the first line of a proof is `{MAGIC}`"));
        return Err(CliError::new("not_a_proof", exit::BAD_INPUT, message).why(why).at("file", name));
    }
    let judged = judge(&bytes, key, policy);
    print(context, &judged)?;
    Ok(judged.verdict.exit_code())
}

fn judge(bytes: &[u8], key: Option<&LogKey>, policy: Option<&Policy>) -> Judged {
    let proof = match TlogProof::parse(bytes) {
        Ok(proof) => proof,
        Err(error) => {
            let why = Some(text(format!("证明文件已损坏:{error}"), error.to_string()));
            return Judged { verdict: Verdict::ProvenBad, why, proof: None };
        }
    };
    let outcome = match proof.checkpoint().text().parse::<Checkpoint>() {
        Ok(checkpoint) => follow(&proof, &checkpoint, key, policy),
        Err(error) => Err(Unproven::Checkpoint(error.into())),
    };
    let (verdict, why) = match outcome {
        Ok(true) => (Verdict::Proven, None),
        Ok(false) => {
            let zh = "路径通向检查点的树根,但未提供账本公钥(--key):检查点是谁签署的,无从得知";
            let en = "the path leads to the checkpoint, but without the log's key (--key) nobody knows who signed it";
            (Verdict::NotProven, Some(text(zh, en)))
        }
        Err(unproven) => (judgement(&unproven), Some(text(chinese(&unproven), unproven.to_string()))),
    };
    Judged { verdict, why, proof: Some(proof) }
}

/// Checks what can be checked: everything (`true`), or with no key all but the signature.
fn follow(
    proof: &TlogProof,
    checkpoint: &Checkpoint,
    key: Option<&LogKey>,
    policy: Option<&Policy>,
) -> std::result::Result<bool, Unproven> {
    if let Some(policy) = policy {
        proof.verify_under(None, policy)?;
    }
    if let Some(key) = key {
        let key = key.verifier(&checkpoint.origin);
        proof.verify(None, key.as_ref())?;
        return Ok(true);
    }
    let leaf = TreeHash::leaf(proof.extra().ok_or(Unproven::NoEntry)?);
    verify_inclusion(proof.index(), checkpoint.size, &leaf, proof.path(), &checkpoint.root)?;
    Ok(false)
}

/// Something that is absent leaves it open; something that is there and wrong does not.
fn judgement(unproven: &Unproven) -> Verdict {
    match unproven {
        Unproven::Checkpoint(Untrusted::Note(Distrust::NoKnownKey) | Untrusted::NotTheLog(_))
        | Unproven::Policy(_)
        | Unproven::NoEntry => Verdict::NotProven,
        Unproven::Checkpoint(Untrusted::Note(_) | Untrusted::Body(_)) | Unproven::Inclusion(_) => {
            Verdict::ProvenBad
        }
    }
}

fn chinese(unproven: &Unproven) -> String {
    match unproven {
        Unproven::Checkpoint(Untrusted::Note(Distrust::NoKnownKey) | Untrusted::NotTheLog(_)) => {
            "检查点没有所给密钥的签名".to_owned()
        }
        Unproven::Checkpoint(Untrusted::Note(_)) => "检查点的签名有误".to_owned(),
        Unproven::Checkpoint(Untrusted::Body(error)) => format!("检查点无法读取:{error}"),
        Unproven::Policy(error) => format!("未满足见证要求:{error}"),
        Unproven::Inclusion(BadProof::Index { index, size }) => {
            format!("树只有 {size} 条记录,没有第 {index} 条")
        }
        Unproven::Inclusion(_) => "路径不通向检查点的树根:记录、路径或检查点被改过".to_owned(),
        Unproven::NoEntry => "证明文件不含记录".to_owned(),
    }
}

fn print(context: &Context, judged: &Judged) -> Result {
    let Judged { verdict, why, proof } = judged;
    let said = proof.as_ref().and_then(|proof| proof.checkpoint().text().parse::<Checkpoint>().ok());
    let leaf =
        proof.as_ref().and_then(|proof| LeafRef::parse(proof.extra()?).ok()).map(|leaf| leaf.to_leaf());
    let mut notes = vec![match verdict {
        Verdict::Proven => text("结论:该记录在账本中", "verdict: the record is in the log"),
        Verdict::NotProven => text("结论:未能证实", "verdict: not proven"),
        Verdict::ProvenBad => text("结论:证明有误", "verdict: the proof is wrong"),
    }];
    if let (Some(Checkpoint { origin, size, root }), Some(proof)) = (&said, proof) {
        let index = proof.index();
        let fact = leaf.as_ref().map(|Leaf { kind, stream, ts, .. }| format!(" {kind} {stream} {ts}"));
        let fact = fact.unwrap_or_default();
        notes.push(text(
            format!("{origin}:第 {index} 条记录{fact};{size} 条记录的检查点,树根 {root}"),
            format!("{origin}: record {index}{fact}; checkpoint of {size} records, root {root}"),
        ));
    }
    notes.extend(why.clone());
    let json = json!({
        "verdict": verdict,
        "why": why.as_ref().map(|why| why.get(context.lang)),
        "index": proof.as_ref().map(TlogProof::index),
        "leaf": leaf,
        "checkpoint": said,
    });
    render::print(context, &Page { tables: Vec::new(), data: None, notes, json: json.into() })
}
