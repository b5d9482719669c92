//! Every real request, as it came and damaged.

use super::{agree, real};

#[test]
fn real_requests_are_read_as_the_obvious_way_reads_them() {
    let Some(file) = real::data("openrtb/requests.ndjson.gz") else { return };
    let mut seen = 0;
    real::for_each_line(&file, |body| {
        assert!(agree::on(body), "refused: {}", String::from_utf8_lossy(body));
        // Cut anywhere, and with any byte turned into another.
        for at in (seen % 61..body.len()).step_by(61) {
            agree::on(&body[..at]);
            let mut damaged = body.to_vec();
            damaged[at] = b"\"\\{}[],:0e\x01\xc3"[(at + seen) % 12];
            agree::on(&damaged);
        }
        seen += 1;
    });
    assert!(seen > 1_000, "{seen} requests");
}
