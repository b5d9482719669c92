//! What TLS tells of a connection: the protocols that may be agreed on, and the names of whoever is at the other end.

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What both sides may say they speak, above TLS.
pub const HTTP2: &[u8] = b"h2";
/// As [`HTTP2`], where HTTP/1.1 is spoken too.
pub const HTTP1: &[u8] = b"http/1.1";

/// A verified certificate's DNS names and common name, in lower case.
pub fn names(der: &[u8]) -> Vec<String> {
    // The verifier has read it already; what it could read and we cannot names nobody.
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let alternative = alternative.iter().flat_map(|extension| &extension.value.general_names);
    let dns = alternative.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(*name),
        _ => None,
    });
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    dns.chain(common).map(str::to_ascii_lowercase).collect()
}
