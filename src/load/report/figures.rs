//! Figures as people read them: waits, rates, counts, shares. The JSON file has them unrounded.

/// `0.082`, `1.25`, `12.3`, `1,234`: milliseconds, three digits that count.
pub fn milliseconds(microseconds: u64) -> String {
    let value = microseconds as f64 / 1e3;
    match value {
        0.0 => "0".to_owned(),
        ..0.9995 => format!("{value:.3}"),
        _ => digits(value),
    }
}

/// `82 µs`, `1.25 ms`, `12.3 s`
pub fn wait(microseconds: u64) -> String {
    match microseconds {
        0..1_000 => format!("{microseconds} µs"),
        1_000..1_000_000 => format!("{} ms", digits(microseconds as f64 / 1e3)),
        _ => format!("{} s", digits(microseconds as f64 / 1e6)),
    }
}

/// `9.3`, `1,234`: something a second.
pub fn rate(per_second: f64) -> String {
    if per_second != 0.0 && per_second < 9.95 { format!("{per_second:.1}") } else { count(whole(per_second)) }
}

/// `500`, `20k`, `1.5M`: a rate where there is little room.
pub fn short_rate(per_second: f64) -> String {
    match per_second {
        ..1e3 => rate(per_second),
        ..1e6 => format!("{}k", trimmed(per_second / 1e3)),
        _ => format!("{}M", trimmed(per_second / 1e6)),
    }
}

/// `1,234,567`
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `0`, `12.3 %`, `0.004 %`; a whole of nothing has no shares.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    match part as f64 * 100.0 / whole as f64 {
        0.0 => "0 %".to_owned(),
        ..0.001 => "< 0.001 %".to_owned(),
        percent @ ..0.1 => format!("{percent:.3} %"),
        percent if part < whole && percent > 99.9 => format!("{:.3} %", percent.min(99.999)),
        percent => format!("{} %", trimmed(percent)),
    }
}

/// `12.3 MB`: powers of ten.
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            return format!("{} {unit}", trimmed(value));
        }
        value /= 1e3;
    }
    format!("{} TB", trimmed(value))
}

/// `0:05`, `12:30`, `1:02:30`: since the run began.
pub fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// `12 s`, `0.5 s`, `10 min`
pub fn seconds(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{} s", trimmed(seconds))
    } else {
        let whole = whole(seconds);
        if whole.is_multiple_of(60) {
            format!("{} min", whole / 60)
        } else {
            format!("{} min {} s", whole / 60, whole % 60)
        }
    }
}

fn digits(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => count(whole(value)),
    }
}

/// At most one digit behind the point, and none when it is a nought.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits_and_say_their_unit() {
        for (us, in_ms, with_unit) in [
            (0, "0", "0 µs"),
            (82, "0.082", "82 µs"),
            (999, "0.999", "999 µs"),
            (1_250, "1.25", "1.25 ms"),
            (12_345, "12.3", "12.3 ms"),
            (999_960, "1,000", "1,000 ms"),
            (61_000_000, "61,000", "61.0 s"),
        ] {
            assert_eq!((milliseconds(us).as_str(), wait(us).as_str()), (in_ms, with_unit));
        }
        for (value, long, short) in [
            (0.0, "0", "0"),
            (2.5, "2.5", "2.5"),
            (950.0, "950", "950"),
            (20_000.0, "20,000", "20k"),
            (1.5e6, "1,500,000", "1.5M"),
        ] {
            assert_eq!((rate(value).as_str(), short_rate(value).as_str()), (long, short));
        }
        for (part, whole, text) in [
            (0, 0, "-"),
            (0, 9, "0 %"),
            (1, 8, "12.5 %"),
            (9, 9, "100 %"),
            (999_999_999, 1_000_000_000, "99.999 %"),
            (1, 30_000, "0.003 %"),
            (1, 1_000_000_000, "< 0.001 %"),
        ] {
            assert_eq!(share(part, whole), text, "{part} of {whole}");
        }
        assert_eq!([clock(5), clock(750), clock(3_750)], ["0:05", "12:30", "1:02:30"]);
        assert_eq!(
            [seconds(0.5), seconds(10.0), seconds(600.0), seconds(605.0)],
            ["0.5 s", "10 s", "10 min", "10 min 5 s"]
        );
        assert_eq!([bytes(0), bytes(1_500), bytes(424_000_000)], ["0 B", "1.5 kB", "424 MB"]);
    }
}
