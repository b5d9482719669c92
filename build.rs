//! Compiles the protocol buffers without protoc. The server side answers in [`Encoded`](src/wire/encoded.rs) bytes, so
//! that names are encoded once a generation and not once a request; the client side decodes into plain messages.

use std::path::PathBuf;

const PROTOS: [&str; 6] = [
    "proto/vaglio/v1/audience.proto",
    "proto/vaglio/v1/events.proto",
    "proto/vaglio/v1/openrtb.proto",
    "proto/com/iabtechlab/openrtb/v2/openrtb.proto",
    "proto/com/iabtechlab/bidstream/mutation/v1/mutation.proto",
    "proto/com/iabtechlab/bidstream/mutation/services/v1/service.proto",
];
/// Where each package's messages are.
const PACKAGES: [(&str, &str); 3] = [
    (".vaglio.v1", "crate::wire::v1"),
    (".com.iabtechlab.openrtb.v2", "crate::wire::v2"),
    (".com.iabtechlab.bidstream.mutation.v1", "crate::wire::artf"),
];
const ANSWERS: [&str; 4] = [
    ".vaglio.v1.LookupResponse",
    ".vaglio.v1.LookupBatchResponse",
    ".vaglio.v1.DecideResponse",
    ".com.iabtechlab.bidstream.mutation.v1.RTBResponse",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for proto in PROTOS {
        println!("cargo:rerun-if-changed={proto}");
    }
    // What is embedded of it (`src/console`); the directory is always there.
    println!("cargo:rerun-if-changed=console/dist");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let descriptors = protox::compile(PROTOS, ["proto"])?;
    std::fs::write(out.join("descriptors.bin"), protox::prost::Message::encode_to_vec(&descriptors))?;

    let messages = tonic_prost_build::configure().emit_rerun_if_changed(false).build_server(false);
    messages.include_file("messages.rs").compile_fds(descriptors.clone())?;

    let services = out.join("services");
    std::fs::create_dir_all(&services)?;
    let mut service = tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .build_client(false)
        .codec_path("crate::wire::codec::Codec")
        .out_dir(services);
    for (package, module) in PACKAGES {
        service = service.extern_path(package, module);
    }
    for answer in ANSWERS {
        service = service.extern_path(answer, "crate::wire::codec::Encoded");
    }
    service.compile_fds(descriptors)?;
    Ok(())
}
