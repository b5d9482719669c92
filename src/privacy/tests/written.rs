//! Consent strings, written bit by bit.

use super::OURS;

/// Bits in the order they are written.
#[derive(Default)]
pub struct Written(pub String);

impl Written {
    pub fn put(mut self, value: u64, width: usize) -> Self {
        self.0.push_str(&format!("{value:0width$b}"));
        self
    }

    pub fn fibonacci(mut self, mut value: u64) -> Self {
        let mut numbers = vec![1, 2];
        while numbers[numbers.len() - 1] <= value {
            numbers.push(numbers[numbers.len() - 1] + numbers[numbers.len() - 2]);
        }
        let mut digits = String::new();
        for number in numbers.into_iter().rev() {
            let taken = number <= value && value > 0;
            value -= if taken { number } else { 0 };
            digits.insert(0, if taken { '1' } else { '0' });
        }
        self.0.push_str(digits.trim_end_matches('0'));
        self.0.push('1');
        self
    }

    pub fn text(mut self) -> String {
        let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).collect();
        while !self.0.len().is_multiple_of(6) {
            self.0.push('0');
        }
        let sextets = self.0.as_bytes().chunks(6).map(|chunk| std::str::from_utf8(chunk).unwrap().to_owned());
        sextets.map(|bits| alphabet[usize::from_str_radix(&bits, 2).unwrap()]).collect()
    }
}

/// A TCF string's content.
#[derive(Debug, Clone)]
pub struct Tcf {
    pub version: u64,
    pub policy: u64,
    pub service_specific: u64,
    pub consents: Vec<u8>,
    pub interests: Vec<u8>,
    pub purpose_one: u64,
    pub country: &'static str,
    pub vendors: Vec<u16>,
    pub vendor_interests: Vec<u16>,
    pub restrictions: Vec<(u64, u64, Vec<u16>)>,
    pub disclosed: Option<Vec<u16>>,
    pub as_ranges: bool,
}

/// Everything is permitted to us, by consent.
pub fn all() -> Tcf {
    Tcf {
        version: 2,
        policy: 5,
        service_specific: 1,
        consents: (1..=11).collect(),
        interests: Vec::new(),
        purpose_one: 0,
        country: "IT",
        vendors: vec![1, 28, OURS],
        vendor_interests: Vec::new(),
        restrictions: Vec::new(),
        disclosed: Some(vec![2, OURS]),
        as_ranges: false,
    }
}

impl Tcf {
    pub fn vendors(&self, out: Written, vendors: &[u16]) -> Written {
        let most = vendors.iter().copied().max().unwrap_or(0);
        let out = out.put(most.into(), 16).put(self.as_ranges.into(), 1);
        if self.as_ranges {
            return ranges(out, vendors);
        }
        (1..=most).fold(out, |out, vendor| out.put(vendors.contains(&vendor).into(), 1))
    }

    pub fn text(&self) -> String {
        let mask = |purposes: &[u8]| purposes.iter().fold(0u64, |mask, purpose| mask | 1 << (24 - purpose));
        let letters = |text: &str| text.bytes().fold(0u64, |value, byte| value << 6 | u64::from(byte - b'A'));
        let out = Written::default().put(self.version, 6).put(1, 36).put(2, 36).put(31, 12).put(7, 12).put(1, 6);
        let out = out.put(letters("EN"), 12).put(48, 12).put(self.policy, 6).put(self.service_specific, 1);
        let out = out.put(0, 1).put(0, 12).put(mask(&self.consents), 24).put(mask(&self.interests), 24);
        let out = out.put(self.purpose_one, 1).put(letters(self.country), 12);
        let out = self.vendors(self.vendors(out, &self.vendors), &self.vendor_interests);
        let out = self
            .restrictions
            .iter()
            .fold(out.put(self.restrictions.len() as u64, 12), |out, (purpose, kind, vendors)| {
                ranges(out.put(*purpose, 6).put(*kind, 2), vendors)
            });
        let disclosed =
            self.disclosed.as_ref().map(|disclosed| self.vendors(Written::default().put(1, 3), disclosed).text());
        disclosed.into_iter().fold(out.text(), |text, segment| text + "." + &segment)
    }
}

pub fn ranges(out: Written, vendors: &[u16]) -> Written {
    // Every second as a range of one, so that both forms are there.
    vendors.iter().fold(out.put(vendors.len() as u64, 12), |out, &vendor| match vendor % 2 {
        0 => out.put(0, 1).put(vendor.into(), 16),
        _ => out.put(1, 1).put(vendor.into(), 16).put(vendor.into(), 16),
    })
}

/// A GPP string of sections, ascending.
pub fn gpp(sections: &[(u64, &str)]) -> String {
    let mut header = Written::default().put(3, 6).put(1, 6).put(sections.len() as u64, 12);
    let mut last = 0;
    for (number, _) in sections {
        header = header.put(0, 1).fibonacci(number - last);
        last = *number;
    }
    sections.iter().fold(header.text(), |text, (_, section)| text + "~" + section)
}

/// A section of a state as [`us`] has it: its fields, two bits each.
pub fn state(version: u64, fields: &[u64]) -> String {
    fields.iter().fold(Written::default().put(version, 6), |out, &field| out.put(field, 2)).text()
}

/// California: notices, sale, sharing, nine of sensitive data, two of children, four more.
pub fn california(sale: u64, sharing: u64, children: [u64; 2]) -> String {
    let fields = [&[1, 1, 1, sale, sharing][..], &[0; 9], &children, &[0, 1, 0, 0]].concat();
    state(1, &fields)
}

/// TCF Canada: purposes with express consent, vendors as a bit field or as ranges.
pub fn canadian(purposes: u64, vendors: &[u64], as_ranges: bool, restriction: Option<(u64, u64)>) -> String {
    let most = vendors.iter().copied().max().unwrap_or(0);
    let list = |out: Written, vendors: &[u64]| {
        let out = out.put(most, 16).put(as_ranges.into(), 1);
        if !as_ranges {
            return (1..=most).fold(out, |out, vendor| out.put(vendors.contains(&vendor).into(), 1));
        }
        let mut last = 0;
        vendors.iter().fold(out.put(vendors.len() as u64, 12), |out, &vendor| {
            let distance = vendor - std::mem::replace(&mut last, vendor);
            out.put(0, 1).fibonacci(distance)
        })
    };
    let out = Written::default().put(1, 6).put(0, 36).put(0, 36).put(0, 42).put(0, 12).put(2, 6).put(0, 13);
    let out = list(list(out.put(purposes, 24).put(0, 24), vendors), vendors);
    let out = out.put(restriction.is_some().into(), 12);
    restriction.into_iter().fold(out, |out, (purpose, kind)| list(out.put(purpose, 6).put(kind, 2), vendors)).text()
}
