//! An authority, a server's and clients' certificates, made for one test.

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Who signs.
pub struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub struct Pair {
    pub certificate: String,
    pub key: String,
    der: (CertificateDer<'static>, Vec<u8>),
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority { pem: certificate.pem(), der: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    /// A certificate with a common name and DNS names.
    pub fn sign(&self, common: &str, dns: &[&str], usage: ExtendedKeyUsagePurpose) -> Pair {
        let names: Vec<String> = dns.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        params.extended_key_usages.push(usage);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: (certificate.der().clone(), key.serialize_der()),
        }
    }

    pub fn client(&self, common: &str, dns: &[&str]) -> Pair {
        self.sign(common, dns, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// Writes `server.pem`, `server.key` and `clients.pem`.
    pub fn equip(&self, directory: &Path) {
        let server = self.sign("a server", &["vaglio.test"], ExtendedKeyUsagePurpose::ServerAuth);
        std::fs::write(directory.join("server.pem"), server.certificate).unwrap();
        std::fs::write(directory.join("server.key"), server.key).unwrap();
        std::fs::write(directory.join("clients.pem"), &self.pem).unwrap();
    }

    /// How a client that trusts this authority shakes hands.
    pub fn trusted(&self, who: Option<&Pair>, protocols: &[&str]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let mut config = match who {
            None => builder.with_no_client_auth(),
            Some(Pair { der: (certificate, key), .. }) => {
                let key = PrivateKeyDer::Pkcs8(key.clone().into());
                builder.with_client_auth_cert(vec![certificate.clone()], key).unwrap()
            }
        };
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}
