//! Writes the sound inputs as the first corpus: `cargo run --manifest-path fuzz/Cargo.toml --bin seeds`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    for (name, _) in vaglio_fuzz::entries::ENTRIES {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        std::fs::create_dir_all(&corpus)?;
        for (at, bytes) in vaglio_fuzz::seeds::seeds(name).iter().enumerate() {
            std::fs::write(corpus.join(format!("seed-{at}")), bytes)?;
        }
    }
    Ok(())
}
