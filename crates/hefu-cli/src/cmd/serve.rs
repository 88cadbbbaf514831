//! `hefu serve`: the ledger's services over the wire, with checkpoints signed meanwhile.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use hefu_engine::{Options, Schedule};
use hefu_server::{Limits, Listen, Server, ServerError, Service, ServiceError, Tls};
use serde_json::json;

use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
    render,
};

/// Connections at once.
const CONNECTIONS: usize = 1024;

/// `hefu serve`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7379")]
    listen: SocketAddr,
    /// Certificate with its chain, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Let other machines connect although there is no TLS: a proxy adds it, or the network is trusted
    #[arg(long)]
    without_tls: bool,
    /// Sign a checkpoint this often if records came, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint_every: u64,
}

/// Serves until SIGINT or SIGTERM. Prints the address once it listens.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    context.exists()?;
    let server = listen(context, args)?;
    answer(context, server, args.checkpoint_every, |url| {
        render::write_out(format!("{}\n", json!({"url": url})).as_bytes())?;
        context.say(&text(
            format!("正在监听 {url};Ctrl-C 停止"),
            format!("listening on {url}; Ctrl-C stops it"),
        ));
        Ok(())
    })
}

/// A server that listens, and the scheme of its URLs.
fn listen(context: &Context, args: &Args) -> Result<(Server, &'static str)> {
    let files = args.tls_cert.as_ref().zip(args.tls_key.as_ref());
    let tls = files.map(|(certificate, key)| Tls::read(certificate, key)).transpose()?;
    let heard = context.clone();
    let tls = tls.map(|tls| tls.telling(move |outcome| reloaded(&heard, outcome)));
    let scheme = if tls.is_some() { "https" } else { "http" };
    let limits = Limits { connections: CONNECTIONS, ..Limits::default() };
    let listen = Listen { address: args.listen, exposed: args.without_tls };
    Ok((Server::listen_with(listen, tls, limits)?, scheme))
}

/// Says what became of a certificate that was to be read again. That it was not is said even to who wants to hear little.
fn reloaded(context: &Context, outcome: std::result::Result<(), ServerError>) {
    match outcome {
        Ok(()) => context.say(&text("证书已重新载入", "the certificate was read again")),
        Err(error) => {
            let hint = text(
                "沿用原证书;更正文件后再发送 SIGHUP",
                "the old certificate stays; correct the files and send SIGHUP again",
            );
            crate::report(context, &CliError::from(error).hint(hint));
        }
    }
}

/// The same on this machine only: at the address, or where there is room.
pub(super) fn listen_here(address: SocketAddr) -> Result<(Server, &'static str)> {
    let listen = |address| Server::listen(Listen { address, exposed: false }, Limits::default());
    let taken = |error: &ServerError| matches!(error, ServerError::Bind { .. });
    let server = match listen(address) {
        Err(error) if taken(&error) => listen(SocketAddr::new(address.ip(), 0)),
        other => other,
    };
    Ok((server?, "http"))
}

/// Answers for the ledger until the process is told to stop; `ready` is told where.
pub(super) fn answer(
    context: &Context,
    (server, scheme): (Server, &str),
    checkpoint_every: u64,
    ready: impl FnOnce(&str) -> Result,
) -> Result<u8> {
    let url = format!("{scheme}://{}", server.address()?);
    let every = Duration::from_secs(checkpoint_every);
    let options = Options { notary: Some(Schedule { every, at_stop: true }), ..Options::default() };
    let engine = context.engine_with(options)?;
    // What is there is signed before anybody asks: over a URL nothing else is believed.
    if let Err(error) = engine.checkpoint_now() {
        context.say(&text(format!("未签署检查点:{error}"), format!("no checkpoint was signed: {error}")));
    }
    let service = Service::new(context.dir()?, engine, server)?;
    ready(&url)?;
    service.run()?;
    Ok(exit::DONE)
}

impl From<ServiceError> for CliError {
    fn from(error: ServiceError) -> CliError {
        match error {
            ServiceError::Server(error) => error.into(),
            ServiceError::Engine(error) => error.into(),
        }
    }
}
