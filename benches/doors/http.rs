//! Questions over HTTP/1.1: connections that are kept, one question at a time on each.

use super::Outcome;
use super::load::Tally;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 32;
/// Stands where the user's identifier goes.
const UID: &str = "UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU";

fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nx-openrtb-version: 2.6\r\n\
         content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

/// A bid request of an app with a banner and a video slot: 2.4 KB.
pub fn enrich() -> Vec<u8> {
    let deals: Vec<String> = (0..6)
        .map(|n| {
            format!(r#"{{"id":"deal-{n}-2026","bidfloor":{n}.25,"bidfloorcur":"EUR","at":1,"wseat":["seat-{n}"]}}"#)
        })
        .collect();
    let deals = deals.join(",");
    let slot = |n: u32, kind: &str| {
        format!(
            r#"{{"id":"{n}","tagid":"/1234567/news/top-{n}","secure":1,"instl":0,"bidfloor":0.35,"bidfloorcur":"EUR",{kind},"pmp":{{"private_auction":0,"deals":[{deals}]}},"ext":{{"gpid":"/1234567/news/top-{n}","data":{{"adserver":{{"name":"gam","adslot":"/1234567/news"}}}}}}}}"#
        )
    };
    let banner = r#""banner":{"w":300,"h":250,"format":[{"w":300,"h":250},{"w":320,"h":50},{"w":336,"h":280}],"pos":1,"api":[3,5,6,7]}"#;
    let video = r#""video":{"mimes":["video/mp4","video/webm"],"minduration":5,"maxduration":30,"protocols":[2,3,5,6,7,8],"w":640,"h":360,"linearity":1,"playbackmethod":[2],"api":[7]}"#;
    let body = format!(
        r#"{{"id":"80ce30c53c16e6ede735f123ef6e32361bfc7b22","at":1,"tmax":2000,"cur":["EUR"],"bcat":["IAB25","IAB26","IAB7-39"],"badv":["example.com","example.net"],"imp":[{},{}],"app":{{"id":"agltb3B1Yi1pbmNyDAsSA0FwcBiJkfIUDA","name":"News of the day","bundle":"com.example.news","storeurl":"https://play.example.com/store/apps/details?id=com.example.news","cat":["IAB12","IAB12-2"],"ver":"7.4.1","publisher":{{"id":"pub-9321","name":"Example Media"}},"content":{{"language":"it","title":"Oggi: tutte le notizie"}}}},"device":{{"ua":"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Mobile Safari/537.36","ip":"192.0.2.1","devicetype":4,"make":"Google","model":"Pixel 8","os":"android","osv":"14","language":"it","connectiontype":2,"dnt":0,"lmt":0,"ifa":"{UID}","geo":{{"lat":45.46,"lon":9.19,"country":"USA","type":2}}}},"user":{{"id":"5f3a1c2e9b7d4e60","keywords":"news,sport,mobile","yob":1984}},"regs":{{"coppa":0}},"source":{{"tid":"3e5d1f0a-7b6c-4c89-9a55-0f2b7c1d8e44","fd":0}}}}"#,
        slot(1, banner),
        slot(2, video),
    );
    post("/openrtb2/enrich", &body)
}

/// The same question by itself.
pub fn lookup() -> Vec<u8> {
    post("/v1/lookup", &format!(r#"{{"eids":[{{"source":"ifa","uid":"{UID}"}}],"tmax_ms":2000}}"#))
}

/// Opens the connections and asks on all of them.
pub async fn start(address: SocketAddr, request: Vec<u8>, tally: &Rc<Tally>) -> Outcome<()> {
    let at = request.windows(UID.len()).position(|window| window == UID.as_bytes()).ok_or("no place for the uid")?;
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (request, tally) = (request.clone(), Rc::clone(tally));
        tokio::task::spawn_local(async move {
            if let Err(error) = converse(stream, request, at, &tally).await {
                eprintln!("a connection has failed: {error}");
            }
        });
    }
    Ok(())
}

async fn converse(mut stream: TcpStream, mut request: Vec<u8>, at: usize, tally: &Tally) -> Outcome<()> {
    let (mut uid, mut answer) = ([0; 36], vec![0; 64 << 10]);
    loop {
        tally.next(&mut uid);
        request[at..at + uid.len()].copy_from_slice(&uid);
        let since = Instant::now();
        stream.write_all(&request).await?;
        let (mut read, mut whole) = (0, None);
        while whole.is_none_or(|(_, end)| read < end) {
            let count = stream.read(&mut answer[read..]).await?;
            if count == 0 {
                return Err("the server closed it".into());
            }
            read += count;
            whole = whole.or_else(|| bounds(&answer[..read]));
        }
        if !answer.starts_with(b"HTTP/1.1 200") {
            return Err(String::from_utf8_lossy(&answer[..read]).into());
        }
        let (body, end) = whole.unwrap_or_default();
        tally.answered(1, end - body, since);
    }
}

/// Where an answer's body begins and ends, once its head is there.
fn bounds(answer: &[u8]) -> Option<(usize, usize)> {
    const LENGTH: &[u8] = b"content-length: ";
    let body = memchr::memmem::find(answer, b"\r\n\r\n")? + 4;
    let length = memchr::memmem::find(&answer[..body], LENGTH)? + LENGTH.len();
    let digits = answer[length..body].iter().take_while(|byte| byte.is_ascii_digit());
    Some((body, body + digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))))
}
