//! `deploy/` says what the program says: the manifest is its output, ports and probes are its defaults, and the
//! configuration in the Kubernetes example is one that it reads.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use vaglio::config::load::from_text;
use vaglio::config::{Config, Server};
use vaglio::hooks::artf::INTENTS;

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
}

fn manifest(format: &str) -> String {
    let program = env!("CARGO_BIN_EXE_vaglio");
    let output = Command::new(program).args(["manifest", "--format", format]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn dockerfile_line<'f>(dockerfile: &'f str, instruction: &str) -> &'f str {
    let mut lines = dockerfile.lines().filter_map(|line| line.strip_prefix(instruction)?.strip_prefix(' '));
    lines.next_back().unwrap_or_else(|| panic!("no {instruction}"))
}

fn kubernetes() -> Vec<Value> {
    file("kubernetes.yaml").split("\n---\n").map(|one| serde_saphyr::from_str(one).unwrap()).collect()
}

fn of_kind<'d>(documents: &'d [Value], kind: &str) -> &'d Value {
    documents.iter().find(|document| document["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

#[test]
fn the_manifest_is_what_the_program_prints() {
    let again = "`vaglio manifest --format json > deploy/agent-manifest.json` writes it anew";
    assert_eq!(file("agent-manifest.json"), manifest("json"), "{again}");
    let written: Value = serde_json::from_str(&manifest("json")).unwrap();
    for key in ["name", "version", "vendor", "owner", "resources", "intents", "dependencies", "health"] {
        assert!(!written[key].is_null(), "{key}");
    }
    let intents: Vec<&str> = INTENTS.iter().map(|intent| intent.as_str_name()).collect();
    assert_eq!(written["intents"], json!(intents));
    assert_eq!(written["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_images_label_is_the_manifest() {
    let dockerfile = file("Dockerfile");
    let label = dockerfile_line(&dockerfile, "LABEL").strip_prefix("agent-manifest=").unwrap();
    assert_eq!(label, format!("'{}'", manifest("text").trim_end()), "the output of `vaglio manifest`");
}

#[test]
fn the_image_runs_without_rights_on_the_ports_of_the_defaults() {
    let (dockerfile, server) = (file("Dockerfile"), Server::default());
    assert_eq!(dockerfile_line(&dockerfile, "USER"), "10001:10001");
    assert_eq!(dockerfile_line(&dockerfile, "STOPSIGNAL"), "SIGTERM");
    assert_eq!(dockerfile_line(&dockerfile, "EXPOSE"), format!("{} {}", server.grpc.port(), server.http.port()));
    let healthcheck = format!("/dev/tcp/127.0.0.1/{}", server.http.port());
    assert!(dockerfile_line(&dockerfile, "HEALTHCHECK").contains(&healthcheck));
    // The `ENV` lines are overrides that the program knows.
    let variables =
        dockerfile.lines().flat_map(|line| line.split_whitespace()).filter(|word| word.starts_with("VAGLIO_"));
    let variables = variables.filter_map(|word| word.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config: Config = from_text("{}", Path::new("/etc/vaglio/vaglio.yaml"), variables).unwrap().config;
    let everywhere = |port| SocketAddr::from(([0, 0, 0, 0], port));
    assert_eq!(
        (config.server.grpc, config.server.http),
        (everywhere(server.grpc.port()), everywhere(server.http.port()))
    );
    assert!(config.server.planner.ip().is_loopback());
}

#[test]
fn the_health_check_asks_what_a_server_answers() {
    let dockerfile = file("Dockerfile");
    let check = dockerfile_line(&dockerfile, "HEALTHCHECK").split_once("CMD ").unwrap().1;
    let command: Vec<String> = serde_json::from_str(check).unwrap();
    let text = "server: { grpc: 127.0.0.1:0, http: 127.0.0.1:0, planner: 127.0.0.1:0 }";
    let directory = tempfile::tempdir().unwrap();
    let loaded = from_text(text, &directory.path().join("vaglio.yaml"), std::iter::empty()).unwrap();
    let options = vaglio::server::Options { build: false, ..Default::default() };
    let server = vaglio::server::Server::start(loaded, options).unwrap();
    let there = server.addresses().http.port().to_string();
    let check = |port: &str| {
        let arguments = command[1..].iter().map(|it| it.replace("8080", port));
        Command::new(&command[0]).args(arguments).output().unwrap().status.success()
    };
    assert!(check(&there), "alive before the first generation: {command:?}");
    server.shutdown();
    assert!(!check(&there), "nobody listens");
}

#[test]
fn the_example_for_kubernetes_agrees_with_the_program() {
    let (documents, server) = (kubernetes(), Server::default());
    let text = of_kind(&documents, "ConfigMap")["data"]["vaglio.yaml"].as_str().unwrap();
    let config = from_text(text, Path::new("/etc/vaglio/vaglio.yaml"), std::iter::empty()).unwrap().config;
    let pod = &of_kind(&documents, "Deployment")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let ports = json!([
        {"name": "grpc", "containerPort": config.server.grpc.port()},
        {"name": "http", "containerPort": config.server.http.port()},
    ]);
    assert_eq!(container["ports"], ports);
    assert_eq!((config.server.grpc.port(), config.server.http.port()), (server.grpc.port(), server.http.port()));
    let served = of_kind(&documents, "Service")["spec"]["ports"].as_array().unwrap();
    let served: Vec<&Value> = served.iter().map(|port| &port["port"]).collect();
    assert_eq!(served, [&json!(server.grpc.port()), &json!(server.http.port())]);

    let manifest: Value = serde_json::from_str(&manifest("json")).unwrap();
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["path"], manifest["health"][probe]["httpGet"]["path"]);
    }
    assert_eq!(container["resources"]["requests"], manifest["resources"]);
    assert_eq!(container["image"], format!("vaglio:{}", env!("CARGO_PKG_VERSION")));
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() * 1_000 > config.server.drain_ms);

    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    let rights = &container["securityContext"];
    assert_eq!((&rights["allowPrivilegeEscalation"], &rights["readOnlyRootFilesystem"]), (&json!(false), &json!(true)));
    assert_eq!(rights["capabilities"], json!({"drop": ["ALL"]}));
}
