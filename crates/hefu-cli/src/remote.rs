//! A ledger behind a URL. Its records are taken over the wire and checked: together they must be those of the newest
//! checkpoint, which the log's key signed, and what came since those of its newest receipt. Every answer is then worked
//! out here, as from a directory: the same figures, the same words, and nothing is believed.
//!
//! For that a caller must be allowed to read every record (roles `statistics` and `auditor`). `HEFU_TOKEN` holds the
//! token, `HEFU_CA` names a file with certificates to trust instead of those of the web, `HEFU_KEYS` the folder of the keys
//! that sign.

use std::path::PathBuf;

use hefu_chain::{leaf::LeafRef, origin::Origin, proof::TlogProof, receipt::Receipt, record::Record};
use hefu_client::{Http, LedgerService, ServiceFailure};
use hefu_engine::{KeyStore, Reader};

use crate::{
    context::{Context, read_file},
    error::{CliError, Result, exit},
    lang::{Lang, text},
};

/// Requests as this caller makes them: with the token, in the language, over certificates that are trusted.
pub(crate) fn http(lang: Lang) -> Result<Http> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let http = Http::new(LedgerService::PATIENCE).in_language(lang.pick("zh", "en"));
    let http = match set("HEFU_TOKEN") {
        Some(token) => http.with_token(&token.to_string_lossy()),
        None => http,
    };
    let Some(path) = set("HEFU_CA").map(PathBuf::from) else { return Ok(http) };
    http.trusting(&read_file(&path)?).map_err(|why| {
        let message =
            text("HEFU_CA 中没有可用的证书", "HEFU_CA names no file of certificates that can be used");
        CliError::new("bad_certificate", exit::BAD_CONFIG, message)
            .why(text(why.clone(), why))
            .at("file", path.display().to_string())
    })
}

/// The keys that sign over a URL.
pub(crate) fn keys() -> Result<KeyStore> {
    let folder = std::env::var_os("HEFU_KEYS").filter(|value| !value.is_empty()).map(PathBuf::from);
    folder.filter(|folder| folder.is_dir()).map(|folder| KeyStore::at(&folder)).ok_or_else(|| {
        let message = text("没有密钥目录", "there is no folder of keys");
        let hint = text(
            "通过网址签署命令,须由 HEFU_KEYS 指明密钥目录,如 hefu-ledger.keys",
            "to sign commands for a URL, name the folder of the keys, such as hefu-ledger.keys, in HEFU_KEYS",
        );
        CliError::new("no_keys", exit::NO_PERMISSION, message).hint(hint)
    })
}

/// Holds keys to the ledger that they signed for before.
pub(crate) fn bind(keys: &KeyStore, origin: &Origin, url: &str) -> Result {
    match keys.bound_to()? {
        None => Ok(keys.bind(origin)?),
        Some(known) if known == origin.as_str() => Ok(()),
        Some(known) => {
            let message = text(
                format!("这些密钥用于账本 `{known}`,该服务却是 `{origin}`"),
                format!("these keys sign for the ledger `{known}`, and the service is that of `{origin}`"),
            );
            let hint = text(
                "确认网址;若确要为另一账本签署,请用另一密钥目录",
                "check the address; to sign for another ledger, use another folder of keys",
            );
            Err(CliError::new("other_ledger", exit::NO_PERMISSION, message).hint(hint).at("url", url))
        }
    }
}

/// The service.
pub(crate) fn service(url: &str, lang: Lang) -> Result<LedgerService> {
    LedgerService::new(http(lang)?, url).ok_or_else(|| CliError::usage(text("不是网址", "not a URL")))
}

/// The ledger, as its records say.
pub(crate) fn reader(context: &Context, url: &str) -> Result<Reader> {
    records(context, &service(url, context.lang)?)
}

/// The same of a service. What came after the newest checkpoint is vouched for by the receipt of the last command.
pub(crate) fn records(context: &Context, service: &LedgerService) -> Result<Reader> {
    let checkpoint = service.checkpoint()?;
    let progress = context.progress(None, &text("读取记录", "reading the records"));
    let mut records = service.records(0, &|count| progress.at(count))?;
    drop(progress);
    match promise(service, &mut records)? {
        Some(receipt) => Ok(Reader::received_until(records, checkpoint.as_bytes(), &receipt)?),
        None => Ok(Reader::received(records, checkpoint.as_bytes())?),
    }
}

/// The same ledger with what came since.
pub(crate) fn more(known: Reader, service: &LedgerService) -> Result<Reader> {
    let mut records = service.records(known.log_size(), &|_| {})?;
    match promise(service, &mut records)? {
        Some(receipt) => Ok(known.continued(records, &receipt)?),
        None => Ok(known),
    }
}

/// The receipt that speaks of the last of these records, with whatever else it speaks of; nothing if there is none.
fn promise(service: &LedgerService, records: &mut Vec<Record>) -> Result<Option<Receipt>> {
    let Some(last) = records.last() else { return Ok(None) };
    let Ok(leaf) = LeafRef::parse(&last.leaf) else { return Ok(None) };
    let (next, found) = (last.position + 1, service.recorded(leaf.command)?);
    let Some(receipt) = found.and_then(|found| found.receipt) else { return Ok(None) };
    if receipt.seq >= next {
        records.extend(service.records(next, &|_| {})?);
    }
    Ok(Some(receipt))
}

/// The proof that a record is under the newest checkpoint. It is checked by whoever verifies it.
pub(crate) fn prove(context: &Context, url: &str, position: u64) -> Result<TlogProof> {
    proof(&service(url, context.lang)?, position)
}

/// The same of a service.
pub(crate) fn proof(service: &LedgerService, position: u64) -> Result<TlogProof> {
    let proof: Option<TlogProof> = service.inclusion(position)?.parse().ok();
    proof.filter(|proof| proof.index() == position).ok_or_else(|| {
        let message = text("回应不可用", "the answer cannot be used");
        CliError::new("bad_answer", exit::UNREACHABLE, message).at("position", position)
    })
}

impl From<ServiceFailure> for CliError {
    fn from(error: ServiceFailure) -> CliError {
        let why = error.to_string();
        let why = text(why.clone(), why);
        match error {
            ServiceFailure::NoAnswer(error) => {
                let message = text("服务没有回应", "the service does not answer");
                let hint = text("检查地址、证书和网络", "check the address, the certificate and the network");
                CliError::new("unreachable", exit::UNREACHABLE, message)
                    .why(why)
                    .hint(hint)
                    .at("url", error.url)
            }
            ServiceFailure::Problem { url, status, code, .. } => {
                // Whoever may read the records of some projects only is told to name one.
                let denied = matches!(status, 401 | 403) || code == "usage";
                let exit = if denied { exit::NO_PERMISSION } else { exit::UNREACHABLE };
                let shown = if denied { "token_may_not" } else { "service_refused" };
                let message =
                    text(format!("服务拒绝了请求({code})"), format!("the service refused ({code})"));
                let hint = text(
                    "通过网址使用命令行,须由 HEFU_TOKEN 给出可读全部记录的令牌(角色 statistics 或 auditor);其他角色请用 HTTP 或 gRPC 接口",
                    "over a URL the command line needs a token that may read every record (role statistics or auditor) in \
                     HEFU_TOKEN; other roles ask over HTTP or gRPC",
                );
                let error = CliError::new(shown, exit, message).why(why).at("url", url).at("refusal", code);
                if denied { error.hint(hint) } else { error }
            }
            ServiceFailure::Unreadable { url, .. } => {
                let message = text("回应不可用", "the answer cannot be used");
                let hint =
                    text("该地址可能不是账本服务", "the address may not be that of a ledger's service");
                CliError::new("bad_answer", exit::UNREACHABLE, message).why(why).hint(hint).at("url", url)
            }
        }
    }
}
