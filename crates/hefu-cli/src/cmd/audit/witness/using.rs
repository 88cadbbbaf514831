//! `hefu audit witness use`: the witnesses of this ledger, kept beside it and asked from then on.

use std::path::PathBuf;

use hefu_client::FailMode;
use hefu_engine::{Cosigner, Shown, Unheld};
use serde_json::json;

use super::super::{checkpoint::verbatim, verify::read_policy};
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
    witnesses::{Kept, Witnesses, must_name},
};

/// `hefu audit witness use`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The policy file to keep (C2SP tlog-policy); without one, print what is kept
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Open and publish even if too few witnesses answer; one that saw another history stops it all the same
    #[arg(long, requires = "file")]
    fail_open: bool,
    /// Ask nobody any more
    #[arg(long, conflicts_with = "file")]
    none: bool,
}

/// Keeps, forgets or prints it.
pub(super) fn run(context: &Context, args: &Args) -> Result<u8> {
    context.exists()?;
    let keys = context.keys()?;
    if args.none {
        context.say(&if Kept::remove(&keys)? {
            text("不再询问见证人", "no witnesses are asked any more")
        } else {
            text("原未设定见证人", "there were none")
        });
        return Ok(exit::DONE);
    }
    let Some(file) = &args.file else {
        if let Some(kept) = Kept::read(&keys)? {
            return print(context, &kept);
        }
        let message = text("本账本未设定见证人", "no witnesses are kept for this ledger");
        let hint = text("`hefu audit witness use FILE` 设定", "`hefu audit witness use FILE` sets them");
        return Err(CliError::new("no_witnesses", exit::REFUSED, message).hint(hint));
    };
    let mode = if args.fail_open { FailMode::Open } else { FailMode::Closed };
    let kept = Kept { policy: read_policy(file)?, mode };
    let log = Shown::open(context.dir()?)?;
    must_name(&kept.policy, log.origin().as_str())?;
    let witnesses = Witnesses::new(kept.policy.clone(), mode);
    match witnesses.hold(&log) {
        Ok(()) => witnesses.tell_silent(context),
        Err(seen @ Unheld::Contradicted { .. }) => return Err(CliError::from(&seen)),
        Err(Unheld::TooFew { missing }) => {
            let why = missing.join("; ");
            context.say(&text(
                format!("目前可询问的见证人不足,账本不会打开:{why}"),
                format!("too few of them can be asked now, and the ledger will not open: {why}"),
            ));
        }
    }
    let path = kept.write(&keys)?.display().to_string();
    context.say(&text(
        format!("已存于 {path};此后打开和发布账本都会询问这些见证人"),
        format!("kept in {path}; they are asked whenever the ledger opens for writing or publishes"),
    ));
    Ok(exit::DONE)
}

fn print(context: &Context, kept: &Kept) -> Result<u8> {
    let policy = kept.policy.to_string();
    verbatim(context, &policy, &json!({"fail": kept.fail(), "policy": policy}))?;
    if kept.mode == FailMode::Open {
        context.say(&text("见证人不足时仍继续", "too few witnesses do not stop the ledger"));
    }
    Ok(exit::DONE)
}
