//! Whether two servers say the same of the same people: the same entry in the same place, the order of its segments aside,
//! and everything else of the request as it was.

use crate::Outcome;
use crate::people::{asked, uid};
use crate::synthetic::{IDENTIFIERS, profiles};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// How many people are asked about, in every form of a request.
const PEOPLE: u64 = 2_000;

struct Server(BufReader<TcpStream>);

impl Server {
    fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Server(BufReader::new(stream)))
    }

    fn ask(&mut self, body: &str) -> Outcome<Vec<u8>> {
        let head = "POST /openrtb2/enrich HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
        let length = body.len();
        self.0.get_mut().write_all(format!("{head}content-length: {length}\r\n\r\n{body}").as_bytes())?;
        let (mut line, mut status, mut length) = (String::new(), String::new(), 0);
        while line != "\r\n" {
            line.clear();
            self.0.read_line(&mut line)?;
            if status.is_empty() {
                status = line.clone();
            }
            if let Some((name, value)) =
                line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            {
                length = value.trim().parse().map_err(|error| format!("{name}: {error}"))?;
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer)?;
        if !status.contains(" 200 ") {
            return Err(format!("{}: {status}", String::from_utf8_lossy(&answer)).into());
        }
        Ok(answer)
    }
}

/// A request about somebody, in the forms that callers send.
fn forms(uid: &str) -> [String; 5] {
    let eids = format!(
        r#""eids":[{{"source":"other.test","uids":[{{"id":"a"}}]}},{{"source":"ifa","uids":[{{"id":"{uid}"}}]}}]"#
    );
    [
        crate::asking::TEMPLATE.trim_end().replace(crate::asking::UID, uid),
        format!(r#"{{"id":"1","device":{{"ifa":"{}"}}}}"#, uid.to_uppercase()),
        format!(r#"{{"id":"1","user":{{{eids}}},"imp":[{{"id":"1"}}]}}"#),
        format!(r#"{{ "user" : {{ "data":[ ], {eids} }} }}"#),
        format!(r#"{{"user":{{"data":[{{"id":"other","segment":[{{"id":"7"}}]}}],{eids}}},"ext":{{"user":{{}}}}}}"#),
    ]
}

/// The answer with segments, and our entry among others, in an order of their own.
fn plain(answer: &[u8]) -> Outcome<(Value, usize)> {
    let mut answer: Value = serde_json::from_slice(answer)?;
    let mut found = 0;
    for entry in answer["user"]["data"].as_array_mut().into_iter().flatten() {
        let ours = entry["id"] == "vaglio";
        if let Some(segments) = entry["segment"].as_array_mut() {
            segments.sort_unstable_by_key(Value::to_string);
            found += if ours { segments.len() } else { 0 };
        }
    }
    if let Some(entries) = answer["user"]["data"].as_array_mut() {
        entries.sort_unstable_by_key(|entry| entry["id"].to_string());
    }
    Ok((answer, found))
}

/// Compares two servers.
pub fn alike(one: SocketAddr, other: SocketAddr) -> Outcome<()> {
    let (mut one, mut other) = (Server::connect(one)?, Server::connect(other)?);
    let known = u64::from(profiles()) * IDENTIFIERS;
    let (mut requests, mut segments, mut strangers) = (0, 0, 0);
    for n in 0..PEOPLE {
        let mut bytes = [0; 36];
        asked(n, &mut bytes);
        let random = bytes.iter().map(|&byte| char::from(byte)).collect();
        // The first, the last, and the first whom nobody knows, too.
        let uid = [uid(0), uid(known - 1), uid(known)].into_iter().nth(n as usize).unwrap_or(random);
        for body in forms(&uid) {
            let (ours, theirs) = (one.ask(&body)?, other.ask(&body)?);
            let ((left, found), (right, _)) = (plain(&ours)?, plain(&theirs)?);
            if left != right || ours.len() != theirs.len() {
                return Err(format!("they differ about\n{body}\none says\n{left}\nthe other\n{right}").into());
            }
            requests += 1;
            segments += found;
            strangers += u64::from(found == 0);
        }
    }
    if segments == 0 || strangers == 0 {
        return Err("nobody was known, or everybody: nothing has been compared".into());
    }
    println!("{requests} answers alike: {segments} segments, {strangers} strangers");
    Ok(())
}
