//! The web console's files, embedded: `console/dist` as `make console` built it, each as its gzip twin. It knows paths and bytes,
//! no HTTP. Without npm nothing is there to embed; then [`index`] is `None`, and whoever serves says so.

use flate2::read::GzDecoder;
use rust_embed::RustEmbed;
use std::borrow::Cow;
use std::io::Read;
use std::sync::OnceLock;

/// Only the twins, which `console/scripts/pack.mjs` writes: hardly a client wants anything else, and it halves the program.
#[derive(RustEmbed)]
#[folder = "console/dist"]
#[include = "*.gz"]
#[exclude = ".*"]
struct Twins;

/// Where `index.html` wants the nonce of an answer.
pub const NONCE: &str = "%CSP_NONCE%";
/// The page itself.
const INDEX: &str = "index.html";

/// A file of the console.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its bytes after gzip.
    pub gzip: Cow<'static, [u8]>,
    /// What it is.
    pub content_type: &'static str,
    /// Whether its name changes with its content, so that it may be kept for ever.
    pub immutable: bool,
    /// Says which content it is.
    pub tag: String,
}

impl Asset {
    /// Its bytes; `None` when the twin is damaged.
    pub fn plain(&self) -> Option<Vec<u8>> {
        let mut plain = Vec::new();
        GzDecoder::new(&*self.gzip).read_to_end(&mut plain).ok()?;
        Some(plain)
    }
}

/// The file at a path such as `assets/index-3f2a.js`, without a slash before it. The page is none: see [`index`].
pub fn asset(path: &str) -> Option<Asset> {
    if path == INDEX {
        return None;
    }
    let twin = Twins::get(&format!("{path}.gz"))?;
    let tag = twin.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Some(Asset { gzip: twin.data, content_type: content_type(path)?, immutable: path.starts_with("assets/"), tag })
}

/// The page, with [`NONCE`] where that of the answer belongs; `None` when no console was built into this program.
pub fn index() -> Option<&'static str> {
    static PAGE: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let mut page = String::new();
        GzDecoder::new(&*Twins::get("index.html.gz")?.data).read_to_string(&mut page).ok()?;
        Some(page)
    };
    PAGE.get_or_init(read).as_deref()
}

/// What the build writes; nothing else is handed out.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_of_the_page_is_not_there() {
        let hidden =
            ["", "index.html", "index.html.gz", ".gitignore", ".vite/manifest.json", "../Cargo.toml", "assets"];
        for path in hidden {
            assert!(asset(path).is_none(), "{path}");
        }
        for name in Twins::iter() {
            assert!(name.ends_with(".gz") && !name.starts_with('.'), "{name}");
        }
    }

    #[test]
    fn a_console_that_was_built_is_whole() {
        let Some(index) = index() else { return };
        assert!(index.contains(NONCE), "{index}");
        let named = |text: &str| text.split('"').filter_map(|it| it.strip_prefix('/')).map(str::to_owned).collect();
        let named: Vec<String> = named(index);
        for path in named.iter().filter(|path| path.contains('.') && !path.starts_with("api/")) {
            let asset = asset(path).unwrap_or_else(|| panic!("{path} is missing"));
            assert!(!asset.plain().unwrap().is_empty(), "{path}");
            assert_eq!(asset.immutable, path.starts_with("assets/"));
        }
        for name in Twins::iter().filter(|name| name != "index.html.gz") {
            assert!(asset(name.trim_end_matches(".gz")).is_some(), "{name} is of no kind that is handed out");
        }
    }
}
