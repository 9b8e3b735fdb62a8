//! What a model's thresholds accept, as a table.

use cairn_eval::OperatingPoint;

/// A line for each operating point of a name: what its threshold accepts of landmarks and of other photos.
pub(crate) fn point_lines(points: &[(&str, OperatingPoint)]) -> String {
    if points.is_empty() {
        return String::new();
    }
    let mut lines =
        "threshold             landmarks accepted  accepted and right  false landmarks\n".to_owned();
    for (name, point) in points {
        let shares = [point.accepted_landmarks, point.right_landmarks, point.accepted_distractors];
        let [accepted, right, falsely] = shares.map(percent);
        lines.push_str(&format!(
            "{name:<9} {:>10.4}  {accepted:>18}  {right:>18}  {falsely:>15}\n",
            point.threshold
        ));
    }
    lines
}

/// In per cent, or a dash for what is not a number.
fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1}%", 100.0 * share) } else { "–".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_operating_point() {
        let point = OperatingPoint {
            threshold: 0.0152,
            accepted_landmarks: 0.955,
            right_landmarks: 0.9,
            accepted_distractors: f64::NAN,
        };
        insta::assert_snapshot!(point_lines(&[("default", point), ("--sure", OperatingPoint { accepted_distractors: 0.02, ..point })]), @r"
        threshold             landmarks accepted  accepted and right  false landmarks
        default       0.0152               95.5%               90.0%                –
        --sure        0.0152               95.5%               90.0%             2.0%
        ");
        assert_eq!(point_lines(&[]), "");
    }
}
