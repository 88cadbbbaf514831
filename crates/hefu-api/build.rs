//! Makes Rust of `proto/hefu/v1`: messages and services, their JSON, and their description for reflection.
//! The compiler of protobuf is a Rust crate, so nothing needs to be installed.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    let files = ["ledger", "query", "audit"].map(|name| root.join(format!("hefu/v1/{name}.proto")));
    for file in &files {
        println!("cargo:rerun-if-changed={}", file.display());
    }
    let described = protox::compile(&files, [&root])?;
    let bytes = described.encode_to_vec();
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("descriptor.bin"), &bytes)?;
    pbjson_build::Builder::new()
        .register_descriptors(&bytes)?
        .preserve_proto_field_names()
        .emit_fields()
        .build(&[".hefu.v1"])?;
    // Records are many: their parts share the bytes of the message that they came in.
    let code = tonic_prost_build::configure().build_transport(false).bytes(".hefu.v1.Record");
    code.compile_fds(described)?;
    Ok(())
}
