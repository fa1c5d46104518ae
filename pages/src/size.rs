//! Sizes as people write and read them.

/// The letters of the units: powers of 1024.
const UNITS: &str = "KMGTPE";

/// Reads `4096`, `64K`, `1.5G`: bytes, or a power of 1024 by its letter, which `iB` or `B` may follow.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong =
        || format!("`{text}` is not a size: give bytes, or a number with K, M, G, T, P or E");
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.to_ascii_uppercase();
    let mut letters = unit.chars();
    let power = match (letters.next(), letters.as_str()) {
        (None, _) | (Some('B'), "") => 0,
        (Some(letter), "" | "B" | "IB") => 1 + UNITS.find(letter).ok_or_else(wrong)?,
        _ => return Err(wrong()),
    };
    let scale = 1_u128 << (10 * power);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 9 || fraction.contains('.') || number.ends_with('.') {
        return Err(wrong());
    }
    let whole: u128 = whole.parse().map_err(|_| wrong())?;
    let part = match fraction {
        "" => 0,
        digits => {
            let digits: u128 = digits.parse().map_err(|_| wrong())?;
            digits * scale / 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0))
        }
    };
    let bytes = whole.checked_mul(scale).and_then(|it| it.checked_add(part));
    bytes
        .and_then(|bytes| u64::try_from(bytes).ok())
        .ok_or_else(|| format!("`{text}` is too large: a size is less than 16E"))
}

/// A size in at most five columns, rounded down: `0`, `512B`, `4.0K`, `37K`, `1023M`.
pub fn short(bytes: u64) -> String {
    if bytes == 0 {
        return "0".to_owned();
    }
    let power = (1..=UNITS.len())
        .rev()
        .find(|unit| bytes >> (10 * unit) > 0);
    let Some(power) = power else {
        return format!("{bytes}B");
    };
    let letter = &UNITS[power - 1..power];
    let tenths = (u128::from(bytes) * 10) >> (10 * power);
    if tenths < 100 {
        format!("{}.{}{letter}", tenths / 10, tenths % 10)
    } else {
        format!("{}{letter}", tenths / 10)
    }
}

/// A share: 100% only for all, 0% only for none, and a dash if the total is zero.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    match u128::from(part) * 100 / u128::from(whole) {
        0 if part > 0 => "<1%".to_owned(),
        percent => format!("{percent}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("12B", 12),
            ("64k", 64 << 10),
            ("1.5G", 3 << 29),
            ("2MiB", 2 << 20),
            ("7TB", 7 << 40),
            ("15E", 15 << 60),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in [
            "", "K", ".5K", "1.", "1.2.3", "-1", "3X", "1KiK", "1 K", "16E", "9é", "é",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_short_and_never_too_large() {
        for (bytes, text) in [
            (0, "0"),
            (1023, "1023B"),
            (1024, "1.0K"),
            (10_239, "9.9K"),
            (10_240, "10K"),
            (u64::MAX, "15E"),
        ] {
            assert_eq!(short(bytes), text);
        }
        assert_eq!(short((1 << 20) - 1), "1023K");
    }

    #[test]
    fn only_all_is_all() {
        assert_eq!(percent(0, 0), "-");
        assert_eq!(percent(0, 1), "0%");
        assert_eq!(percent(1, 101), "<1%");
        assert_eq!(percent(u64::MAX - 1, u64::MAX), "99%");
        assert_eq!(percent(u64::MAX, u64::MAX), "100%");
    }
}
