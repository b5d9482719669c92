//! Cases of the ARTF service: a request is sent under both names of the service, and the proposals compared.

use super::facts::merge;
use super::protobuf;
use prost::Message;
use serde_json::{Value, json};
use vaglio::hooks::artf::answer;
use vaglio::hooks::call::Call;
use vaglio::server::Server;
use vaglio::wire::artf::mutation::Value as Payload;
use vaglio::wire::artf::rtb_extension_point_client::RtbExtensionPointClient as EarlierClient;
use vaglio::wire::artf::{Intent, Lifecycle, Mutation, Operation, RtbRequest, RtbResponse};
use vaglio::wire::artf_client::rtb_extension_point_client::RtbExtensionPointClient;
use vaglio::wire::v2::BidRequest;

/// Sends a case's request; what is wrong with the answer.
pub fn send(case: &Value, server: &Server) -> Vec<String> {
    let (asked, expected) = (&case["request"], &case["expect"]);
    let message = message(asked);
    if asked["shed"] == json!(true) {
        let call = Call { shed: true, ..Call::local() };
        let encoded = answer(server.doors(), &message, &call).unwrap().message;
        return differences("shed", &told(&RtbResponse::decode(&encoded.0[..]).unwrap()), expected);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let [published, earlier] = runtime.block_on(async {
        let address = format!("http://{}", server.addresses().grpc);
        let request = || request(asked, message.clone());
        let published = RtbExtensionPointClient::connect(address.clone()).await.unwrap().get_mutations(request()).await;
        [published, EarlierClient::connect(address).await.unwrap().get_mutations(request()).await]
    });
    let found = |answer: Result<tonic::Response<RtbResponse>, tonic::Status>| match answer {
        Ok(answer) => told(answer.get_ref()),
        Err(status) => json!({"code": format!("{:?}", status.code())}),
    };
    let mut wrong = differences("published name", &found(published), expected);
    wrong.extend(differences("earlier name", &found(earlier), expected));
    wrong
}

fn message(asked: &Value) -> RtbRequest {
    let intents = asked["applicable_intents"].as_array().into_iter().flatten();
    let intent = |intent: &Value| match intent.as_str() {
        Some(name) => Intent::from_str_name(name).unwrap_or_else(|| panic!("no intent `{name}`")).into(),
        None => intent.as_i64().unwrap() as i32,
    };
    let lifecycle = match asked["lifecycle"].as_str() {
        Some(name) => Some(Lifecycle::from_str_name(name).unwrap_or_else(|| panic!("no lifecycle `{name}`")).into()),
        None => asked["lifecycle"].as_i64().map(|number| number as i32),
    };
    let bid_request = &asked["bid_request"];
    RtbRequest {
        lifecycle,
        id: asked["id"].as_str().map(str::to_owned),
        tmax: asked["tmax"].as_i64().map(|tmax| tmax as i32),
        bid_request: bid_request.is_object().then(|| BidRequest::decode(&protobuf::encode(bid_request)[..]).unwrap()),
        applicable_intents: intents.map(intent).collect(),
        ..Default::default()
    }
}

fn request(asked: &Value, message: RtbRequest) -> tonic::Request<RtbRequest> {
    let mut request = tonic::Request::new(message);
    if let Some(key) = asked["key"].as_str() {
        request.metadata_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    }
    request
}

/// An answer in a case's words. What has no presence on the wire reads `null`: older clients refuse it.
fn told(answer: &RtbResponse) -> Value {
    let mutation = |mutation: &Mutation| {
        let ids = match &mutation.value {
            Some(Payload::Ids(ids)) => json!(ids.id),
            other => json!(format!("{other:?}")),
        };
        json!({
            "intent": mutation.intent.map(|it| Intent::try_from(it).unwrap().as_str_name()),
            "op": mutation.op.map(|it| Operation::try_from(it).unwrap().as_str_name()),
            "path": mutation.path,
            "ids": ids,
        })
    };
    let metadata = answer.metadata.clone().unwrap_or_default();
    json!({
        "id": answer.id,
        "mutations": answer.mutations.iter().map(mutation).collect::<Vec<_>>(),
        "api_version": metadata.api_version,
        "model_version": metadata.model_version,
    })
}

/// A case says what differs from an answer of the first generation to request `x1`; `metrics` are compared elsewhere.
fn differences(name: &str, found: &Value, expected: &Value) -> Vec<String> {
    let mut whole = match expected["code"].is_string() {
        true => json!({}),
        false => json!({"id": "x1", "mutations": [], "api_version": "1.0", "model_version": "1"}),
    };
    let mut said = expected.clone();
    said.as_object_mut().unwrap().remove("metrics");
    merge(&mut whole, &said);
    match *found == whole {
        true => Vec::new(),
        false => vec![format!("{name}:\n  expected {whole}\n  found    {found}")],
    }
}
