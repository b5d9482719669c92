//! Certificates of the ports: reads `server.tls` and `server.planner_tls` once, when the server starts, and says which file is wrong and what
//! to do. The connections themselves are in `hooks/tls.rs`.

use crate::config::Tls;
use crate::error::{Error, Problem, Result};
use crate::wire::certificate::{HTTP1, HTTP2};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// How ports shake hands: those of bids, or the planner's, which is an HTTP port.
pub(super) struct Acceptors {
    pub(super) grpc: TlsAcceptor,
    pub(super) http: TlsAcceptor,
}

impl Acceptors {
    /// Reads the files that a section of `server` names.
    ///
    /// # Errors
    /// Every file that is missing, unreadable or holds something else, and a key that is not the certificate's.
    pub(super) fn load(settings: &Tls, section: &'static str) -> Result<Self> {
        let settings = &Files { settings, section };
        let mut problems = Vec::new();
        let mut keep = |problem| problems.push(problem);
        let chain = certificates(settings, "certificate", &settings.settings.certificate).map_err(&mut keep).ok();
        let key = private_key(settings).map_err(&mut keep).ok();
        let roots =
            settings.settings.client_ca.as_deref().map(|file| certificates(settings, "client_ca", file)).transpose();
        let roots = roots.map_err(&mut keep).ok();
        let (Some(chain), Some(key), Some(roots)) = (chain, key, roots) else { return Err(wrong(problems)) };
        let pair = pair(settings, chain, key).map_err(|problem| wrong(vec![problem]))?;
        let verifier = roots.map(|roots| verifier(settings, roots)).transpose();
        let verifier = verifier.map_err(|problem| wrong(vec![problem]))?;
        let acceptor = |protocols: &[&[u8]]| Ok(TlsAcceptor::from(Arc::new(server(&pair, &verifier, protocols)?)));
        Ok(Acceptors { grpc: acceptor(&[HTTP2])?, http: acceptor(&[HTTP2, HTTP1])? })
    }
}

fn wrong(problems: Vec<Problem>) -> Error {
    Error::usage("the server cannot offer TLS").with_problems(problems)
}

/// The files of a section.
struct Files<'a> {
    settings: &'a Tls,
    /// `tls` or `planner_tls`.
    section: &'static str,
}

impl Files<'_> {
    /// A problem with one of them.
    fn problem(&self, key: &str, file: &Path, what: impl std::fmt::Display, help: &str) -> Problem {
        Problem::new(format!("server.{}.{key}: {}: {what}", self.section, file.display())).help(help)
    }
}

fn unreadable(of: &Files<'_>, key: &str, file: &Path, error: &pem::Error, holds: &str) -> Problem {
    match error {
        pem::Error::Io(error) => of.problem(
            key,
            file,
            error,
            "check the path (relative ones start at the configuration file) and who may read it",
        ),
        pem::Error::NoItemsFound => {
            of.problem(key, file, format!("holds no {holds}"), &format!("it must be PEM text with {holds}"))
        }
        error => of.problem(key, file, format!("is not PEM: {error}"), &format!("it must be PEM text with {holds}")),
    }
}

fn certificates(of: &Files<'_>, key: &str, file: &Path) -> std::result::Result<Vec<CertificateDer<'static>>, Problem> {
    const HOLDS: &str = "a certificate (`-----BEGIN CERTIFICATE-----`)";
    let unreadable = |error: &pem::Error| unreadable(of, key, file, error, HOLDS);
    let read = CertificateDer::pem_file_iter(file).map_err(|error| unreadable(&error))?;
    let read: Vec<_> = read.collect::<std::result::Result<_, _>>().map_err(|error| unreadable(&error))?;
    if read.is_empty() { Err(unreadable(&pem::Error::NoItemsFound)) } else { Ok(read) }
}

fn private_key(of: &Files<'_>) -> std::result::Result<PrivateKeyDer<'static>, Problem> {
    let file = &of.settings.key;
    const HOLDS: &str = "an unencrypted private key (PKCS#8, SEC1 or PKCS#1)";
    PrivateKeyDer::from_pem_file(file).map_err(|error| unreadable(of, "key", file, &error, HOLDS))
}

/// The certificate with its key, checked against each other.
fn pair(
    of: &Files<'_>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> std::result::Result<Arc<SingleCertAndKey>, Problem> {
    let provider = aws_lc_rs::default_provider();
    let pair = CertifiedKey::from_der(chain, key, &provider).map_err(|error| {
        let what = format!("does not go with the certificate {}: {error}", of.settings.certificate.display());
        of.problem("key", &of.settings.key, what, "name the key that the certificate was made for")
    })?;
    Ok(Arc::new(SingleCertAndKey::from(pair)))
}

/// Who signs the clients' certificates.
fn verifier(
    of: &Files<'_>,
    certificates: Vec<CertificateDer<'static>>,
) -> std::result::Result<Arc<dyn ClientCertVerifier>, Problem> {
    let file = of.settings.client_ca.as_deref().unwrap_or(Path::new(""));
    let unusable = |error: &dyn std::fmt::Display| {
        of.problem(
            "client_ca",
            file,
            format!("cannot be trusted: {error}"),
            "name the certificates of the authorities that sign clients",
        )
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(aws_lc_rs::default_provider()));
    let builder = if of.settings.client_required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|error| unusable(&error))
}

fn server(
    pair: &Arc<SingleCertAndKey>,
    verifier: &Option<Arc<dyn ClientCertVerifier>>,
    protocols: &[&[u8]],
) -> Result<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal("the TLS library offers no version").caused_by(error))?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::clone(pair) as _);
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}
