//! TLS by rustls: a certificate with its chain, and its key, both in PEM. TLS 1.2 and 1.3; HTTP/2 and HTTP/1.1.
//!
//! Certificates run out, so both files can be read again while connections go on: who has connected keeps what he was
//! shown, and files that do not serve change nothing.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

use crate::server::ServerError;

/// A certificate and its key, ready for use.
#[derive(Clone)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    acceptor: Arc<RwLock<TlsAcceptor>>,
    told: Option<Told>,
}

/// Who is told what became of reading the files again.
type Told = Arc<dyn Fn(Result<(), ServerError>) + Send + Sync>;

impl Tls {
    /// Reads both. Fails if the key is not the certificate's.
    pub fn read(certificate: &Path, key: &Path) -> Result<Tls, ServerError> {
        let acceptor = Arc::new(RwLock::new(acceptor(certificate, key)?));
        Ok(Tls { certificate: certificate.to_owned(), key: key.to_owned(), acceptor, told: None })
    }

    /// The same, and `told` hears what became of each reading at SIGHUP.
    #[must_use]
    pub fn telling(mut self, told: impl Fn(Result<(), ServerError>) + Send + Sync + 'static) -> Tls {
        self.told = Some(Arc::new(told));
        self
    }

    /// Reads both again. From then on who connects is shown the new certificate; if they do not serve, the old one.
    pub fn reload(&self) -> Result<(), ServerError> {
        let new = acceptor(&self.certificate, &self.key)?;
        *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Reads both again whenever the process is told to (SIGHUP), until it ends.
    #[cfg(unix)]
    pub(crate) async fn reload_when_told(self) {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
        while hangup.recv().await.is_some() {
            let outcome = self.reload();
            if let Err(error) = &outcome {
                tracing::warn!("the certificate stays as it was: {error}");
            }
            if let Some(told) = &self.told {
                told(outcome);
            }
        }
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone();
        acceptor.accept(stream).await
    }
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, ServerError> {
    let bad = |path: &Path| {
        let path = path.to_owned();
        move |why: String| ServerError::Tls { path, why }
    };
    let chain =
        CertificateDer::pem_file_iter(certificate).map_err(|error| bad(certificate)(error.to_string()))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|error| bad(certificate)(error.to_string()))?;
    if chain.is_empty() {
        return Err(bad(certificate)("it holds no certificate".to_owned()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key)(error.to_string()))?;
    let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(certificate)(error.to_string()))?;
    let config = versions.with_no_client_auth().with_single_cert(chain, secret);
    let mut config = config.map_err(|error| bad(key)(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
