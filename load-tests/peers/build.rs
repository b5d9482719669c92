//! Compiles the protocol of ARTF, as anybody would who writes an agent.

const PROTO: &str = "com/iabtechlab/bidstream/mutation/services/v1/service.proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=../../proto");
    let descriptors = protox::compile([PROTO], ["../../proto"])?;
    tonic_prost_build::configure().build_client(false).include_file("artf.rs").compile_fds(descriptors)?;
    Ok(())
}
