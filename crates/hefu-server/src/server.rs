//! Taking connections, with limits on everything a stranger can make large.

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
};
use hefu_api::problem::{Kind, Problem};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    runtime::Runtime,
    sync::{Semaphore, oneshot, watch},
    time::timeout,
};

use crate::{http::problem, tls::Tls};

/// A server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Others could reach the address, and read and alter what goes over the wire.
    #[error("{0} can be reached from other machines, and there is no TLS")]
    Exposed(SocketAddr),
    /// A certificate or its key does not serve.
    #[error("{}: {why}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system gives no threads, sockets or signals.
    #[error("the server cannot run: {0}")]
    Io(#[from] io::Error),
}

/// Bytes for the head of a request over HTTP/1.1.
const HEAD: usize = 32 * 1024;
/// The same over HTTP/2.
const HEAD_LIST: u32 = 32 * 1024;
/// Requests at once on one connection over HTTP/2.
const STREAMS: u32 = 128;

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// Address and port; with port 0 the system chooses.
    pub address: SocketAddr,
    /// Other machines may connect although there is no TLS: a proxy adds it, or the network is trusted.
    pub exposed: bool,
}

/// What a stranger may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; more wait.
    pub connections: usize,
    /// For the head of a request, from its first byte or from the end of the request before.
    pub head: Duration,
    /// For a request's body and the beginning of the answer to it; a stream may then go on.
    pub request: Duration,
    /// For what is under way when the server is told to stop.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            head: Duration::from_secs(30),
            request: Duration::from_secs(30),
            stop: Duration::from_secs(10),
        }
    }
}

/// A server that listens, and answers once it is run.
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    limits: Limits,
    tls: Option<Tls>,
    stopping: watch::Sender<bool>,
    places: Arc<Semaphore>,
}

/// How many are connected.
#[derive(Clone)]
pub(crate) struct Connections {
    places: Arc<Semaphore>,
    most: usize,
}

impl Connections {
    /// Now. Whoever waits for a place is not counted.
    pub(crate) fn open(&self) -> u64 {
        self.most().saturating_sub(self.places.available_permits() as u64)
    }

    /// At once.
    pub(crate) fn most(&self) -> u64 {
        self.most as u64
    }
}

impl Server {
    /// Listens.
    ///
    /// Fails if the address is taken, or can be reached from elsewhere and nobody said it may.
    pub fn listen(listen: Listen, limits: Limits) -> Result<Server, ServerError> {
        Server::listen_with(listen, None, limits)
    }

    /// The same, with TLS if there is a certificate: then others may connect.
    pub fn listen_with(listen: Listen, tls: Option<Tls>, limits: Limits) -> Result<Server, ServerError> {
        let Listen { address, exposed } = listen;
        if tls.is_none() && !exposed && !is_loopback(address.ip()) {
            return Err(ServerError::Exposed(address));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(address));
        let listener = listener.map_err(|error| ServerError::Bind { address, error })?;
        let stopping = watch::Sender::new(false);
        let places = Arc::new(Semaphore::new(limits.connections));
        Ok(Server { runtime, listener, limits, tls, stopping, places })
    }

    /// The address, with the port that the system chose.
    pub fn address(&self) -> Result<SocketAddr, ServerError> {
        Ok(self.listener.local_addr()?)
    }

    /// Where to start what goes on beside the answers.
    pub(crate) fn handle(&self) -> &tokio::runtime::Handle {
        self.runtime.handle()
    }

    /// How many are connected.
    pub(crate) fn connections(&self) -> Connections {
        Connections { places: self.places.clone(), most: self.limits.connections }
    }

    /// Becomes true when the server is told to stop: who streams without end, ends then.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Answers until the process is told to stop (SIGINT, SIGTERM), and finishes what is under way.
    pub fn run(self, router: Router) -> Result<(), ServerError> {
        let Server { runtime, listener, limits, tls, stopping, places } = self;
        runtime.block_on(async {
            let stop = told_to_stop()?;
            #[cfg(unix)]
            if let Some(tls) = tls.clone() {
                tokio::spawn(tls.reload_when_told());
            }
            serve((listener, tls), (limits, places), router, (stop, stopping)).await;
            Ok::<_, ServerError>(())
        })?;
        runtime.shutdown_timeout(limits.stop);
        Ok(())
    }

    /// Answers in the background until what is given back is dropped.
    pub fn spawn(self, router: Router) -> Result<Running, ServerError> {
        let address = self.address()?;
        let Server { runtime, listener, limits, tls, stopping, places } = self;
        let secure = tls.is_some();
        let (stop, told) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("hefu-server".to_owned()).spawn(move || {
            let stop = async {
                // A dropped sender means stop, too.
                let _ = told.await;
            };
            runtime.block_on(serve((listener, tls), (limits, places), router, (stop, stopping)));
            runtime.shutdown_timeout(limits.stop);
        })?;
        Ok(Running { address, secure, stop: Some(stop), thread: Some(thread) })
    }
}

/// A server at work in the background.
pub struct Running {
    address: SocketAddr,
    secure: bool,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as the beginning of URLs, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there was reported there.
            let _ = thread.join();
        }
    }
}

async fn serve(
    (listener, tls): (TcpListener, Option<Tls>),
    (limits, places): (Limits, Arc<Semaphore>),
    router: Router,
    (stop, stopping): (impl Future<Output = ()>, watch::Sender<bool>),
) {
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = &mut stop => break,
        };
        // The semaphore is never closed.
        let Ok(place) = place else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of files, or the peer has gone: what is open goes on, and others may be accepted later.
                    tracing::warn!("a connection was not accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        // Small answers must not wait for more to send.
        let _ = stream.set_nodelay(true);
        let (router, watcher, tls) = (router.clone(), graceful.watcher(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(stream, limits, router, watcher).await,
                Some(tls) => match timeout(limits.head, tls.accept(stream)).await {
                    Ok(Ok(stream)) => converse(stream, limits, router, watcher).await,
                    Ok(Err(error)) => tracing::debug!("TLS: {error}"),
                    Err(_) => tracing::debug!("TLS: too slow"),
                },
            }
            drop(place);
        });
    }
    drop(listener);
    stopping.send_replace(true);
    if timeout(limits.stop, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were cut off at the stop");
    }
}

/// One connection, HTTP/1.1 or HTTP/2.
async fn converse<I>(stream: I, limits: Limits, router: Router, watcher: Watcher)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (heard, mut hearing) = watch::channel(false);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        heard.send_if_modified(|heard| !std::mem::replace(heard, true));
        async move { Ok::<_, Infallible>(in_time(limits.request, router, request.map(Body::new)).await) }
    });
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(HEAD);
    // A peer that has gone without a word is noticed by the ping.
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_LIST)
        .keep_alive_interval(Some(limits.head))
        .keep_alive_timeout(limits.head);
    let connection = watcher.watch(http.serve_connection(TokioIo::new(stream), service));
    // Until it is clear which HTTP is spoken, no other timer runs.
    let silence = async {
        if timeout(limits.head, hearing.wait_for(|heard| *heard)).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        outcome = connection => if let Err(error) = outcome {
            tracing::debug!("connection: {error}");
        },
        () = silence => tracing::debug!("connection: no request came"),
    }
}

/// The router's answer, or 408.
async fn in_time(limit: Duration, router: Router, request: Request) -> Response {
    use hyper_util::service::TowerToHyperService;
    let answer = hyper::service::Service::call(&TowerToHyperService::new(router), request);
    match timeout(limit, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => {
            let (zh, en) = ("请求未能及时完成", "the request took too long");
            let mut response = problem(&Problem::new(Kind::Slow, "too_slow", zh, en), false);
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        }
    }
}

#[cfg(unix)]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the same shape on every system")]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without signals it runs until it is killed.
            std::future::pending::<()>().await;
        }
    })
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
