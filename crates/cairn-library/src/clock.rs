//! Seconds as dates, for people.

/// `2019-07-14T15:04:05`, of a clock's seconds since 1970; with its offset where that is known.
pub(crate) fn text(seconds: i64, offset_minutes: Option<i16>) -> String {
    let (year, month, day) = date(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let offset = match offset_minutes {
        None => String::new(),
        Some(0) => "Z".to_owned(),
        Some(offset) => {
            let sign = if offset < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
        }
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}")
}

/// Year, month and day of so many days since 1970: the proleptic Gregorian calendar, years from March.
pub(crate) fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_shown_as_dates() {
        // `date -u -d @...`
        assert_eq!(text(1_563_116_400, Some(120)), "2019-07-14T15:00:00+02:00");
        assert_eq!(text(951_825_600, None), "2000-02-29T12:00:00");
        assert_eq!(text(-1, Some(0)), "1969-12-31T23:59:59Z");
        assert_eq!(text(4_107_542_400, Some(-210)), "2100-03-01T00:00:00-03:30");
    }
}
