//! AVIF.

use crate::Case;

#[test]
fn an_avif_is_turned_and_mirrored_by_its_container_as_in_pillow() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../reference/avif.json")).unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let (_, worst, mean) = case.read();
        assert!(
            mean <= 1.0 && worst <= 4,
            "{}: off by {mean:.2} levels in the mean, up to {worst}",
            case.name
        );
    }
}
