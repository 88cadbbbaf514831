//! Serving over HTTP, for a witness and for a site.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use hefu_server::{Limits, Listen, Server, ServerError};
use hefu_witness::Witness;
use serde_json::json;

use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
    render,
};

/// `hefu audit witness serve`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the witness
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    listening: Listening,
}

/// Where to listen.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Listening {
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7380")]
    listen: SocketAddr,
    /// Let other machines connect although there is no TLS: a proxy adds it, or the network is trusted
    #[arg(long)]
    without_tls: bool,
}

/// Serves a witness until it is told to stop.
pub(super) fn run(context: &Context, args: &Args) -> Result<u8> {
    let witness = Arc::new(Witness::open(&args.folder)?);
    serve(context, args.listening, hefu_server::witness(witness))
}

/// Serves until SIGINT or SIGTERM. Prints the address once it listens.
pub(crate) fn serve(context: &Context, listening: Listening, router: hefu_server::Router) -> Result<u8> {
    let Listening { listen: address, without_tls: exposed } = listening;
    let server = Server::listen(Listen { address, exposed }, Limits::default())?;
    let url = format!("http://{}", server.address()?);
    render::write_out(format!("{}\n", json!({"url": url})).as_bytes())?;
    context.say(&text(format!("正在监听 {url};Ctrl-C 停止"), format!("listening on {url}; Ctrl-C stops it")));
    server.run(router)?;
    Ok(exit::DONE)
}

impl From<ServerError> for CliError {
    fn from(error: ServerError) -> CliError {
        let why = error.to_string();
        let shown = match &error {
            ServerError::Exposed(_) => {
                let message = text(
                    "该地址可由其他机器访问,而本程序不加密",
                    "other machines could reach this address, and there is no TLS",
                );
                let hint = text(
                    "前面有加密代理或网络可信时,加上 --without-tls",
                    "with a TLS proxy before it, or on a trusted network, add --without-tls",
                );
                CliError::new("exposed", exit::USAGE, message).hint(hint)
            }
            ServerError::Tls { path, .. } => {
                let name = path.display().to_string();
                let message = text(format!("{name} 不可用"), format!("{name} cannot be used"));
                CliError::new("bad_certificate", exit::BAD_CONFIG, message).at("file", name)
            }
            ServerError::Bind { .. } | ServerError::Io(_) => {
                CliError::new("cannot_listen", exit::IO, text("无法监听", "the server cannot listen"))
            }
        };
        shown.why(text(why.clone(), why))
    }
}
