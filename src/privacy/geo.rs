//! Where the GDPR applies by place: the European Economic Area and the United Kingdom. Not Switzerland: its own law.

/// ISO 3166, two and three letters: the 27 of the Union, their territories with codes of their own that belong to it,
/// Iceland, Liechtenstein, Norway, and the United Kingdom (also as `UK`, which is no ISO code but is sent).
const COUNTRIES: [(&[u8; 2], &[u8; 3]); 39] = [
    (b"AT", b"AUT"),
    (b"AX", b"ALA"),
    (b"BE", b"BEL"),
    (b"BG", b"BGR"),
    (b"CY", b"CYP"),
    (b"CZ", b"CZE"),
    (b"DE", b"DEU"),
    (b"DK", b"DNK"),
    (b"EE", b"EST"),
    (b"ES", b"ESP"),
    (b"FI", b"FIN"),
    (b"FR", b"FRA"),
    (b"GB", b"GBR"),
    (b"GF", b"GUF"),
    (b"GP", b"GLP"),
    (b"GR", b"GRC"),
    (b"HR", b"HRV"),
    (b"HU", b"HUN"),
    (b"IE", b"IRL"),
    (b"IS", b"ISL"),
    (b"IT", b"ITA"),
    (b"LI", b"LIE"),
    (b"LT", b"LTU"),
    (b"LU", b"LUX"),
    (b"LV", b"LVA"),
    (b"MF", b"MAF"),
    (b"MQ", b"MTQ"),
    (b"MT", b"MLT"),
    (b"NL", b"NLD"),
    (b"NO", b"NOR"),
    (b"PL", b"POL"),
    (b"PT", b"PRT"),
    (b"RE", b"REU"),
    (b"RO", b"ROU"),
    (b"SE", b"SWE"),
    (b"SI", b"SVN"),
    (b"SK", b"SVK"),
    (b"UK", b"GBR"),
    (b"YT", b"MYT"),
];

/// Whether a country, two or three letters of any case, is of the EEA or is the United Kingdom.
pub(super) fn is_eea_or_uk(country: &str) -> bool {
    let country = country.trim_ascii().as_bytes();
    COUNTRIES.iter().any(|(two, three)| country.eq_ignore_ascii_case(*two) || country.eq_ignore_ascii_case(*three))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_letters_or_three_in_any_case() {
        for inside in ["IT", "ita", "Gbr", "gb", "UK", "NO", "isl", "LIE", "REU", " de "] {
            assert!(is_eea_or_uk(inside), "{inside}");
        }
        for outside in ["", "US", "USA", "CH", "CHE", "I", "ITAL", "ITA1", "XX", "RS", "TUR"] {
            assert!(!is_eea_or_uk(outside), "{outside}");
        }
        assert!(COUNTRIES.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, so that none is there twice");
    }
}
