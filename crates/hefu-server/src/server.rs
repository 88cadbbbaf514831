//! Taking connections, with limits on everything a stranger can make large.

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::Semaphore, sync::oneshot, time::timeout};

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
    /// The system gives no threads, sockets or signals.
    #[error("the server cannot run: {0}")]
    Io(#[from] io::Error),
}

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
    /// For a request's body and the answer to it.
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
}

impl Server {
    /// Listens.
    ///
    /// Fails if the address is taken, or can be reached from elsewhere and nobody said it may.
    pub fn listen(listen: Listen, limits: Limits) -> Result<Server, ServerError> {
        let Listen { address, exposed } = listen;
        if !exposed && !is_loopback(address.ip()) {
            return Err(ServerError::Exposed(address));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(address));
        let listener = listener.map_err(|error| ServerError::Bind { address, error })?;
        Ok(Server { runtime, listener, limits })
    }

    /// The address, with the port that the system chose.
    pub fn address(&self) -> Result<SocketAddr, ServerError> {
        Ok(self.listener.local_addr()?)
    }

    /// Answers until the process is told to stop (SIGINT, SIGTERM), and finishes what is under way.
    pub fn run(self, router: Router) -> Result<(), ServerError> {
        let Server { runtime, listener, limits } = self;
        runtime.block_on(async {
            let stop = told_to_stop()?;
            serve(listener, limits, router, stop).await;
            Ok(())
        })
    }

    /// Answers in the background until what is given back is dropped.
    pub fn spawn(self, router: Router) -> Result<Running, ServerError> {
        let address = self.address()?;
        let Server { runtime, listener, limits } = self;
        let (stop, told) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("hefu-server".to_owned()).spawn(move || {
            runtime.block_on(serve(listener, limits, router, async {
                // A dropped sender means stop, too.
                let _ = told.await;
            }));
        })?;
        Ok(Running { address, stop: Some(stop), thread: Some(thread) })
    }
}

/// A server at work in the background.
pub struct Running {
    address: SocketAddr,
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
        format!("http://{}", self.address)
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

async fn serve(listener: TcpListener, limits: Limits, router: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
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
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let router = router.clone();
            async move { Ok::<_, Infallible>(in_time(limits.request, router, request.map(Body::new)).await) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(32 * 1024);
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("connection: {error}");
            }
            drop(place);
        });
    }
    drop(listener);
    if timeout(limits.stop, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were cut off at the stop");
    }
}

/// The router's answer, or 408.
async fn in_time(limit: Duration, router: Router, request: Request) -> Response {
    use hyper_util::service::TowerToHyperService;
    let answer = hyper::service::Service::call(&TowerToHyperService::new(router), request);
    match timeout(limit, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => (StatusCode::REQUEST_TIMEOUT, [("connection", "close")], "too slow\n").into_response(),
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
