//! Compiles the protocol buffers without protoc. The server side answers in [`Encoded`](src/wire/encoded.rs) bytes, so
//! that names are encoded once a generation and not once a request; the client side decodes into plain messages.

use std::path::PathBuf;

const PROTOS: [&str; 1] = ["proto/vaglio/v1/audience.proto"];
const ANSWERS: [&str; 3] = ["LookupResponse", "LookupBatchResponse", "DecideResponse"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for proto in PROTOS {
        println!("cargo:rerun-if-changed={proto}");
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let descriptors = protox::compile(PROTOS, ["proto"])?;
    std::fs::write(out.join("descriptors.bin"), protox::prost::Message::encode_to_vec(&descriptors))?;

    let messages = tonic_prost_build::configure().emit_rerun_if_changed(false).build_server(false);
    messages.compile_fds(descriptors.clone())?;

    let services = out.join("services");
    std::fs::create_dir_all(&services)?;
    let mut service = tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .build_client(false)
        .codec_path("crate::wire::codec::Codec")
        .extern_path(".vaglio.v1", "crate::wire::v1")
        .out_dir(services);
    for answer in ANSWERS {
        service = service.extern_path(format!(".vaglio.v1.{answer}"), "crate::wire::codec::Encoded");
    }
    service.compile_fds(descriptors)?;
    Ok(())
}
