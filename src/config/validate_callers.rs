//! What is wrong with callers and the public: over all of them at once, because names and credentials must tell callers
//! apart. Whether the audiences they name exist is only known to a generation.

use super::model::Config;
use super::serving::Caller;
use super::tree::Step;
use super::validate::{Report, steps};
use crate::schema::names;
use std::collections::BTreeMap;

/// Checks `callers` and `public`.
pub(super) fn check_callers(config: &Config, report: &mut Report) {
    for (at, caller) in config.callers.iter().enumerate() {
        check_caller(caller, steps!["callers", at], report);
        check_name(&config.callers, at, report);
        check_credentials(caller, at, report);
        let signed = config.server.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        report.require(
            caller.mtls.is_empty() || signed,
            steps!["callers", at, "mtls"],
            "names client certificates, and nobody asks clients for one",
            "set `server.tls.client_ca` to the PEM file with the authorities that sign them",
        );
    }
    check_apart(&config.callers, report);
    let Some(public) = &config.public else { return };
    check_caller(public, steps!["public"], report);
    for (key, set) in [
        ("name", !public.name.is_empty()),
        ("credentials", !public.credentials.is_empty()),
        ("mtls", !public.mtls.is_empty()),
    ] {
        let help = "the public is everybody who shows nothing; describe somebody in particular under `callers`";
        report.require(!set, steps!["public", key], "is not for the public", help);
    }
}

/// Checks what callers and the public have in common.
fn check_caller(caller: &Caller, base: Vec<Step>, report: &mut Report) {
    let path = |rest: Vec<Step>| [base.clone(), rest].concat();
    for (at, owner) in caller.owners.iter().enumerate() {
        let valid = owner == "*" || names::is_name(owner);
        let help = "write a name, or \"*\" for all";
        report.require(valid, path(steps!["owners", at]), "is not an owner's name", help);
    }
    for (at, audience) in caller.audiences.iter().enumerate() {
        let help = "write owner/id, such as acme/phone-replacers";
        report.require(is_audience(audience), path(steps!["audiences", at]), "is not an audience", help);
    }
    let mut said: BTreeMap<&str, &str> = BTreeMap::new();
    for (audience, name) in &caller.external_ids {
        let place = path(steps!["external_ids", audience.as_str()]);
        if !is_audience(audience) {
            report.wrong(place, "is not an audience", "write owner/id, such as acme/phone-replacers: p7");
        } else if name.trim().is_empty() {
            report.wrong(place, "is empty", "say what the caller is told instead of owner/id");
        } else if let Some(first) = said.insert(name, audience) {
            report.wrong(place, format!("`{name}` stands for {first} too"), "give each audience a name of its own");
        }
    }
    let help = "choose 1 or more; 100 is the default";
    report.require(caller.max_segments >= 1, path(steps!["max_segments"]), "is 0, so no segment is told", help);
}

fn is_audience(text: &str) -> bool {
    text.split_once('/').is_some_and(|(owner, id)| names::is_name(owner) && names::is_name(id))
}

fn check_name(callers: &[Caller], at: usize, report: &mut Report) {
    let name = &callers[at].name;
    let path = steps!["callers", at, "name"];
    if !names::is_name(name) {
        report.wrong(path, "is not a name", "write letters, digits, `_`, `-` and `.`; it stands in metrics and logs");
    } else if name == "public" {
        report.wrong(path, "is what everybody without a credential is called", "choose another name");
    } else if let Some(first) = callers[..at].iter().position(|other| other.name == *name) {
        report.wrong(
            path,
            format!("`{name}` is the name of callers[{first}] too"),
            "give each caller a name of its own",
        );
    }
}

/// What stands there may be a key by mistake: it is not repeated.
fn check_credentials(caller: &Caller, at: usize, report: &mut Report) {
    for (credential_at, credential) in caller.credentials.iter().enumerate() {
        let hash = &credential.sha256;
        report.require(
            hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
            steps!["callers", at, "credentials", credential_at, "sha256"],
            "is not the SHA-256 of a key: 64 hexadecimal digits",
            "`vaglio keys create --print-hash` makes a key and prints this line; the key itself goes to the caller",
        );
    }
    for (name_at, name) in caller.mtls.iter().enumerate() {
        let help = "write a DNS name of the certificate, or its common name";
        report.require(!name.trim().is_empty(), steps!["callers", at, "mtls", name_at], "is empty", help);
    }
}

/// A credential is one caller's.
fn check_apart(callers: &[Caller], report: &mut Report) {
    let mut hashes = BTreeMap::new();
    let mut certificates = BTreeMap::new();
    for (at, caller) in callers.iter().enumerate() {
        for (credential_at, credential) in caller.credentials.iter().enumerate() {
            if let Some(first) = hashes.insert(credential.sha256.to_lowercase(), at) {
                let path = steps!["callers", at, "credentials", credential_at, "sha256"];
                report.wrong(path, format!("stands in callers[{first}] too"), "make a key for each caller");
            }
        }
        for (name_at, name) in caller.mtls.iter().enumerate() {
            if let Some(first) = certificates.insert(name.to_lowercase(), at) {
                let path = steps!["callers", at, "mtls", name_at];
                report.wrong(path, format!("`{name}` stands in callers[{first}] too"), "a certificate is one caller's");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::from_text;
    use std::path::Path;

    #[track_caller]
    fn assert_mistakes(text: &str, words: &[&str]) {
        let error = from_text(text, Path::new("vaglio.yaml"), std::iter::empty()).expect_err("it is wrong");
        let found: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), words.len(), "{found:#?}");
        for (found, words) in found.iter().zip(words) {
            assert!(found.contains(words), "{words} is not in: {found}");
        }
    }

    #[test]
    fn callers_are_told_apart() {
        let hash = "ab".repeat(32);
        let upper = hash.to_uppercase();
        assert_mistakes(
            &format!(
                "server: {{ tls: {{ certificate: a, key: b, client_ca: c }} }}\ncallers:\n  - {{ name: one, mtls: [a.test], \
                 credentials: [{{ sha256: {hash} }}] }}\n  - {{ name: one, mtls: [A.test], credentials: [{{ sha256: \
                 {upper} }}] }}\n  - {{ name: public }}\n  - {{ owners: [acme] }}\n"
            ),
            &[
                "callers[1].name: `one` is the name of callers[0] too",
                "callers[1].mtls[0]: `A.test` stands in callers[0] too",
                "callers[1].credentials[0].sha256: stands in callers[0] too",
                "callers[2].name: is what everybody without",
                "callers[3]",
            ],
        );
    }

    #[test]
    fn what_stands_instead_of_a_hash_is_not_repeated() {
        let text = "callers: [{ name: one, credentials: [{ sha256: vaglio_secret }] }]";
        assert_mistakes(text, &["callers[0].credentials[0].sha256: is not the SHA-256 of a key"]);
        let error = from_text(text, Path::new("vaglio.yaml"), std::iter::empty()).unwrap_err();
        assert!(!error.to_string().contains("vaglio_secret"), "{error}");
    }

    #[test]
    fn what_a_caller_sees_and_is_told_must_make_sense() {
        assert_mistakes(
            "callers:\n  - name: one\n    owners: [\"*\", \"not a name\"]\n    audiences: [acme/a, a]\n    \
             external_ids: { acme/a: x, acme/b: x, b: y, acme/c: \" \" }\n    max_segments: 0\n    mtls: [one.test]\n",
            &[
                "callers[0].owners[1]: is not an owner's name",
                "callers[0].audiences[1]: is not an audience",
                "`x` stands for acme/a too",
                "is not an audience",
                "is empty",
                "callers[0].max_segments: is 0",
                "callers[0].mtls: names client certificates, and nobody asks",
            ],
        );
        assert_mistakes(
            "public: { name: all, mtls: [a], owners: [a b], max_segments: 0 }",
            &["public.name", "public.mtls", "public.owners[0]", "public.max_segments"],
        );
    }

    #[test]
    fn deadlines_and_required_certificates_are_checked() {
        for share in ["0", "-0.5", "1.01"] {
            assert_mistakes(&format!("server: {{ deadline: {{ tmax_share: {share} }} }}"), &["tmax_share"]);
        }
        assert_mistakes(
            "server: { tls: { certificate: a, key: b, client_required: true } }",
            &["server.tls.client_required"],
        );
    }
}
