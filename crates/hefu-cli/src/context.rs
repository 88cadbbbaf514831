//! What every command needs to know about how it was called: which ledger, for whom, in which form.

use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::Arc,
};

use hefu_chain::{origin::Origin, proof::TlogProof};
use hefu_engine::{Cosigner, Engine, KeyStore, Options, Publisher, Reader};
use hefu_store::evidence::EvidenceFolder;

use crate::{
    args::Global,
    error::{CliError, Result, exit},
    lang::{Lang, Text, text},
    progress::Progress,
    remote,
    render::Format,
    witnesses::{Kept, Witnesses},
};

/// How `hefu` was called.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// Where the ledger is.
    pub(crate) place: Place,
    pub(crate) lang: Lang,
    pub(crate) format: Format,
    /// Where the result goes, if not to stdout.
    pub(crate) out: Option<PathBuf>,
    /// Whether to say less. Results are never left out.
    pub(crate) quiet: bool,
    /// Whether stderr takes colours.
    pub(crate) colour: bool,
}

/// Where a ledger is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In a directory of this machine.
    Dir(PathBuf),
    /// Behind a service.
    Url(String),
}

impl Place {
    fn of(place: &Path) -> Place {
        let web = |text: &&str| text.starts_with("http://") || text.starts_with("https://");
        match place.to_str().filter(web) {
            Some(url) => Place::Url(url.to_owned()),
            None => Place::Dir(place.to_owned()),
        }
    }
}

/// So that these witnesses are asked.
fn asking(options: Options, witnesses: Option<Arc<Witnesses>>) -> Options {
    let cosigner = witnesses.map(|witnesses| witnesses as Arc<dyn Cosigner>);
    Options { cosigner, ..options }
}

impl Context {
    /// From the global options and the environment.
    pub(crate) fn new(global: &Global) -> Context {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let on_terminal = io::stdout().is_terminal();
        Context {
            place: Place::of(&global.ledger),
            lang: global.lang.unwrap_or_else(Lang::of_environment),
            format: global.format.unwrap_or(if on_terminal { Format::Table } else { Format::Jsonl }),
            out: None,
            quiet: global.quiet,
            colour: io::stderr().is_terminal() && !global.no_color && !set("NO_COLOR") && !dumb,
        }
    }

    /// Opens the ledger for looking: no lock, no key.
    pub(crate) fn reader(&self) -> Result<Reader> {
        match &self.place {
            Place::Url(url) => remote::reader(self, url),
            Place::Dir(_) => Ok(Reader::open(self.exists()?)?),
        }
    }

    /// The proof that a record is under the newest checkpoint.
    pub(crate) fn prove(&self, position: u64) -> Result<TlogProof> {
        match &self.place {
            Place::Url(url) => remote::prove(self, url, position),
            Place::Dir(_) => Ok(hefu_engine::prove(self.exists()?, position)?),
        }
    }

    /// The ledger's directory. Fails for a ledger behind a URL.
    pub(crate) fn dir(&self) -> Result<&Path> {
        match &self.place {
            Place::Dir(dir) => Ok(dir),
            Place::Url(url) => {
                let message = text(
                    "此命令须在账本目录上运行,不能通过网址",
                    "this command works on a ledger's directory, not over a URL",
                );
                let hint = text(
                    "在保存账本的机器上运行,用 -L 指明目录:它需要目录中的文件或账本密钥",
                    "run it where the ledger lies, with -L and its directory: it needs the files there, or the log's key",
                );
                Err(CliError::new("needs_directory", exit::USAGE, message).hint(hint).at("url", url.clone()))
            }
        }
    }

    /// The witnesses kept for the ledger.
    pub(crate) fn witnesses(&self) -> Result<Option<Arc<Witnesses>>> {
        Ok(Kept::read(&self.keys()?)?.map(|Kept { policy, mode }| Witnesses::new(policy, mode)))
    }

    /// How to open the ledger for writing, so that its witnesses are asked.
    pub(crate) fn options(&self) -> Result<Options> {
        Ok(asking(Options::default(), self.witnesses()?))
    }

    /// Opens the ledger for writing.
    pub(crate) fn engine(&self) -> Result<Engine> {
        self.engine_with(Options::default())
    }

    /// The same with other options; the witnesses kept for it are asked in any case.
    pub(crate) fn engine_with(&self, options: Options) -> Result<Engine> {
        let witnesses = self.witnesses()?;
        let engine = Engine::open(self.exists()?, asking(options, witnesses.clone()))?;
        if let Some(witnesses) = witnesses {
            witnesses.tell_silent(self);
        }
        let opened = engine.opened();
        if opened.store.torn_bytes > 0 {
            self.say(&text(
                format!("已移走末尾 {} 字节未完成的写入;已答复的命令都在", opened.store.torn_bytes),
                format!(
                    "{} bytes of an unfinished write at the end were set aside; nothing acknowledged is lost",
                    opened.store.torn_bytes
                ),
            ));
        }
        if opened.redacted > 0 {
            self.say(&text(
                format!("已完成 {} 项此前中断的遮盖", opened.redacted),
                format!("{} redactions that a stop had cut short were finished", opened.redacted),
            ));
        }
        Ok(engine)
    }

    /// Opens the ledger for publishing what is on its disk.
    pub(crate) fn publisher(&self) -> Result<Publisher> {
        Ok(Publisher::open(self.exists()?)?)
    }

    /// The keys beside the ledger.
    pub(crate) fn keys(&self) -> Result<KeyStore> {
        Ok(KeyStore::beside(self.dir()?))
    }

    /// The keys that sign: those beside the ledger; of one behind a URL those of the folder `HEFU_KEYS`.
    pub(crate) fn signing_keys(&self) -> Result<KeyStore> {
        match &self.place {
            Place::Dir(dir) => Ok(KeyStore::beside(dir)),
            Place::Url(_) => remote::keys(),
        }
    }

    /// The keys to sign for a ledger with. Behind a URL it is the service that says which ledger it is: the keys of a folder
    /// sign for the first one only, so that none can get signatures for another.
    pub(crate) fn keys_for(&self, origin: &Origin) -> Result<KeyStore> {
        let keys = self.signing_keys()?;
        if let Place::Url(url) = &self.place {
            remote::bind(&keys, origin, url)?;
        }
        Ok(keys)
    }

    /// The evidence beside the ledger; of one behind a URL beside the keys.
    pub(crate) fn evidence(&self) -> Result<EvidenceFolder> {
        match &self.place {
            Place::Dir(_) => Ok(EvidenceFolder::beside(self.exists()?)),
            Place::Url(_) => Ok(EvidenceFolder::beside(&remote::keys()?.folder().with_extension(""))),
        }
    }

    /// The directory. Fails where there is no ledger.
    pub(crate) fn exists(&self) -> Result<&Path> {
        let dir = self.dir()?;
        if dir.is_dir() {
            return Ok(dir);
        }
        let dir = dir.display();
        let message = text(format!("{dir} 没有账本"), format!("there is no ledger at {dir}"));
        let hint = text(
            "用 -L 指明目录,或运行 `hefu init` 新建",
            "name the directory with -L, or make one with `hefu init`",
        );
        Err(CliError::new("no_ledger", exit::IO, message).hint(hint).at("file", dir.to_string()))
    }

    /// Says something to the person at the screen.
    pub(crate) fn say(&self, what: &Text) {
        if !self.quiet {
            eprintln!("{}", what.get(self.lang));
        }
    }

    /// Says where a long piece of work stands, on a terminal only.
    pub(crate) fn progress(&self, length: Option<u64>, what: &Text) -> Progress {
        let shown = io::stderr().is_terminal() && !self.quiet;
        Progress::new(length, what.get(self.lang), shown)
    }
}

/// A file read as a whole.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    not_a_folder(path)?;
    std::fs::read(path).map_err(|error| {
        let error = CliError::io(("读取", "read"), path, &error);
        if path.exists() { error } else { error.exiting(exit::BAD_INPUT) }
    })
}

/// Fails for a folder where a file is needed.
pub(crate) fn not_a_folder(path: &Path) -> Result {
    if !path.is_dir() {
        return Ok(());
    }
    let name = path.display().to_string();
    let message = text(format!("{name} 是目录,不是文件"), format!("{name} is a folder, not a file"));
    let hint = text("请指明其中的文件", "name the file in it");
    Err(CliError::new("not_a_file", exit::BAD_INPUT, message).hint(hint).at("file", name))
}
