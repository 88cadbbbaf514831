//! Files in `docs/` that are made from the sources. `UPDATE=1 cargo test -p hefu-tests` writes them anew.

use std::{fs, path::PathBuf};

/// A file of the documentation.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// The file must hold exactly this text.
#[track_caller]
pub(crate) fn same(name: &str, text: &str) {
    let kept = fs::read_to_string(path(name)).unwrap_or_default();
    if kept != text && std::env::var_os("UPDATE").is_some() {
        fs::write(path(name), text).unwrap();
        return;
    }
    assert!(kept == text, "docs/{name} is out of date; `UPDATE=1 cargo test -p hefu-tests` writes it anew");
}
