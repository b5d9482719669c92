//! The installation's secret: a file of 32 hexadecimal digits that only its owner may read.

use crate::error::{Error, Result};
use crate::schema::KeyHasher;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Reads the secret; with `create`, writes a random one first where there is none.
pub(super) fn hasher(file: &Path, create: bool) -> Result<KeyHasher> {
    match std::fs::read_to_string(file) {
        Ok(text) => parse(&text).map(KeyHasher::new).ok_or_else(|| {
            Error::usage(format!(
                "the key file {} does not hold 32 hexadecimal digits; put the original back: a new key makes every \
                 earlier generation unreadable",
                file.display()
            ))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound && create => {
            write_new(file)?;
            hasher(file, false)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::input(format!(
            "there is no key file {}; `vaglio build` makes one, or copy the one the generations were built with",
            file.display()
        ))),
        Err(error) => Err(Error::io(format!("read the key file {}", file.display()), error)),
    }
}

fn parse(text: &str) -> Option<[u8; 16]> {
    let text = text.trim();
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

/// Whoever links the name first wins, so two builds that start together end up with one key.
fn write_new(file: &Path) -> Result<()> {
    let doing = || format!("create the key file {}", file.display());
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(directory).map_err(|error| Error::io(doing(), error))?;
    let secret = random().map_err(|error| Error::io("read /dev/urandom", error))?;
    let draft = directory.join(format!(".vaglio.key.{}.tmp", std::process::id()));
    let written = (|| {
        let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        writeln!(out, "{:032x}", u128::from_be_bytes(secret))?;
        out.sync_all()?;
        match std::fs::hard_link(&draft, file) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
            Ok(()) => File::open(directory)?.sync_all(),
        }
    })();
    // The draft has served either way; that it could not be removed harms nobody.
    let _ = std::fs::remove_file(&draft);
    written.map_err(|error| Error::io(doing(), error))
}

fn random() -> std::io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_only_on_request() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("deep/vaglio.key");
        let missing = hasher(&file, false).unwrap_err();
        assert!(missing.message().contains("vaglio build"), "{missing}");
        let made = hasher(&file, true).unwrap();
        assert_eq!(made.fingerprint(), hasher(&file, false).unwrap().fingerprint());
        assert_eq!(made.fingerprint(), hasher(&file, true).unwrap().fingerprint());
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("vaglio.key");
        for wrong in ["", "1234", "+1234567890123456789012345678901", "g0000000000000000000000000000000"] {
            std::fs::write(&file, wrong).unwrap();
            assert!(hasher(&file, true).unwrap_err().message().contains("32 hexadecimal digits"));
            assert_eq!(std::fs::read_to_string(&file).unwrap(), wrong);
        }
    }
}
