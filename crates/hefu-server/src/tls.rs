//! TLS by rustls: a certificate with its chain, and its key, both in PEM. TLS 1.2 and 1.3; HTTP/2 and HTTP/1.1.

use std::{io, path::Path, sync::Arc};

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
pub struct Tls(TlsAcceptor);

impl Tls {
    /// Reads both. Fails if the key is not the certificate's.
    pub fn read(certificate: &Path, key: &Path) -> Result<Tls, ServerError> {
        let bad = |path: &Path| {
            let path = path.to_owned();
            move |why: String| ServerError::Tls { path, why }
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .map_err(|error| bad(certificate)(error.to_string()))?;
        let chain =
            chain.collect::<Result<Vec<_>, _>>().map_err(|error| bad(certificate)(error.to_string()))?;
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
        Ok(Tls(TlsAcceptor::from(Arc::new(config))))
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}
