//! Likely wrong labels are cleanlab's: `label_noise_reference.py` made what they are held to.

use cairn_dataset::ClassId;
use cairn_eval::label_issues;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    labels: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
    issues: Vec<usize>,
}

#[test]
fn the_labels_in_doubt_and_their_order_are_cleanlabs() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("label_noise.json")).unwrap();
    assert!(cases.iter().map(|case| case.issues.len()).sum::<usize>() > 40, "enough to compare");
    for Case { labels, probabilities, issues } in cases {
        let labels: Vec<ClassId> = labels.into_iter().map(ClassId::new).collect();
        let found: Vec<usize> =
            label_issues(&labels, &probabilities).iter().map(|issue| issue.photo).collect();
        assert_eq!(found, issues);
    }
}
