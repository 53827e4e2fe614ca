//! Times as they are typed and shown: UTC.

use std::time::{Duration, SystemTime};

/// A time that was or is: `now`, a date (its first moment) or an RFC 3339 time.
pub(crate) fn moment(text: &str) -> Result<SystemTime, String> {
    if text == "now" {
        return Ok(SystemTime::now());
    }
    let midnight = format!("{text}T00:00:00Z");
    let time = humantime::parse_rfc3339(text).or_else(|_| humantime::parse_rfc3339(&midnight));
    time.map_err(|_| "expected a date such as 2027-01-31, or 2027-01-31T18:00:00Z".to_owned())
}

/// A time to come: a [`moment`], or how long from now.
pub(crate) fn deadline(text: &str) -> Result<SystemTime, String> {
    let time = match humantime::parse_duration(text) {
        Ok(wait) => {
            let end = SystemTime::now().checked_add(wait);
            end.ok_or_else(|| "that is too far away".to_owned())?
        }
        Err(_) => {
            moment(text).map_err(|error| format!("{error}; or how long, such as 30d or 12h"))?
        }
    };
    if time <= SystemTime::now() {
        return Err("that is over already; expected a time to come".to_owned());
    }
    // What cannot be written as a date cannot be shown later.
    if time >= SystemTime::UNIX_EPOCH + YEAR_10000 {
        return Err("that is too far away".to_owned());
    }
    Ok(time)
}

/// As stored: with milliseconds, for scripts.
pub(crate) fn exact(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// To the minute, for people.
pub(crate) fn short(time: SystemTime) -> String {
    exact(time).get(..16).unwrap_or_default().replace('T', " ")
}

/// From 1970 to the first year with five digits.
const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_durations_are_read() {
        assert_eq!(exact(moment("2024-02-29").unwrap()), "2024-02-29T00:00:00.000Z");
        assert_eq!(exact(moment("2024-02-29T23:59:58.5Z").unwrap()), "2024-02-29T23:59:58.500Z");
        assert_eq!(short(moment("2024-02-29T23:59:58Z").unwrap()), "2024-02-29 23:59");
        let day = Duration::from_secs(86_400);
        let ahead = deadline("30d").unwrap().duration_since(SystemTime::now()).unwrap();
        assert!(29 * day < ahead && ahead <= 30 * day);
        assert!(deadline("9999-12-31").is_ok());
        for wrong in ["", "0s", "now", "2001-01-01", "2023-02-29", "30", "-3d", "999999y", "soon"] {
            assert!(deadline(wrong).is_err(), "{wrong}");
        }
    }
}
