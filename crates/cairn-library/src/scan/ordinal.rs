//! Times as seconds.

use cairn_photo::TimeTaken;

/// Seconds since 1970 of a clock's time, as if that clock were UTC. A leap second is the second after.
pub(super) fn seconds(time: &TimeTaken) -> i64 {
    let days = days_since_1970(i64::from(time.year), i64::from(time.month), i64::from(time.day));
    let of_day = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second);
    days * 86_400 + of_day
}

/// Days of the proleptic Gregorian calendar: years begin in March, so that the leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_agree_with_known_dates() {
        let at = |year, month, day, hour| TimeTaken {
            year,
            month,
            day,
            hour,
            minute: 0,
            second: 0,
            offset_minutes: None,
        };
        // `date -u -d ... +%s`
        for (time, expected) in [
            (at(1970, 1, 1, 0), 0),
            (at(2000, 2, 29, 12), 951_825_600),
            (at(2019, 7, 14, 15), 1_563_116_400),
            (at(1969, 12, 31, 23), -3600),
            (at(2100, 3, 1, 0), 4_107_542_400),
        ] {
            assert_eq!(seconds(&time), expected, "{time}");
        }
    }
}
