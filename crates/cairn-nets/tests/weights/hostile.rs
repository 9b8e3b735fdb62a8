//! Files made to do harm, and files that harm was done to: each ends in tensors or an error, soon.

use std::fmt::Write;

use cairn_nets::weights::PthProblem;
use proptest::prelude::*;

use crate::pickler::{LEGACY_MAGIC, archive, legacy, read, weight, with_storage};

#[test]
fn the_legacy_file_that_is_mutated_below_is_whole() {
    assert_eq!(read(&legacy()).unwrap()[0].to_f32(), [1.0, 2.0]);
}

#[test]
fn tensors_that_unpack_to_more_than_the_file_can_hold_are_refused() {
    // 255^7 times the same element.
    let file = with_storage(&weight(&[255; 7], &[0; 7]));
    assert!(matches!(read(&file).unwrap_err().problem, PthProblem::TooLarge { .. }));
    // More elements than can be counted.
    let file = with_storage(&weight(&[255; 60], &[0; 60]));
    assert!(matches!(read(&file).unwrap_err().problem, PthProblem::TooLarge { .. }));
}

#[test]
fn a_tensor_of_more_axes_than_pytorch_has_is_refused() {
    let file = with_storage(&weight(&[1; 65], &[0; 65]));
    assert!(matches!(read(&file).unwrap_err().problem, PthProblem::Pickle { .. }));
}

#[test]
fn values_nested_a_million_deep_do_no_harm() {
    let mut pickle = b"\x80\x02N".to_vec();
    pickle.extend([0x85; 1_000_000]);
    pickle.push(b'.');
    assert!(matches!(read(&with_storage(&pickle)).unwrap_err().problem, PthProblem::NoStateDict { .. }));
}

#[test]
fn modules_that_hold_themselves_or_unfold_without_end_are_refused() {
    // One module whose attribute `m` is itself.
    let own = b"\x80\x02c__torch__.a\nM\n)\x81q\0}X\x01\0\0\0mh\0sb.";
    // Forty modules, each with the next as `a` and as `b`: 2^40 ways.
    let mut doubling = "\x02c__torch__.a\nM\n)\x7f".to_owned();
    for _ in 0..40 {
        write!(doubling, "q\0c__torch__.a\nM\n)\x7f}}(X\x01\0\0\0ah\0X\x01\0\0\0bh\0ub").unwrap();
    }
    let mut doubling: Vec<u8> = [b"\x80", doubling.as_bytes(), b"."].concat();
    doubling.iter_mut().filter(|byte| **byte == 0x7f).for_each(|byte| *byte = 0x81);
    for pickle in [own.as_slice(), &doubling] {
        let problem = read(&with_storage(pickle)).unwrap_err().problem;
        assert!(matches!(problem, PthProblem::TooDeep { .. }), "{problem}");
    }
}

#[test]
fn a_pickle_longer_than_any_networks_is_refused() {
    let mut pickle = b"\x80\x02".to_vec();
    pickle.extend(vec![b']'; 17 << 20]);
    assert!(matches!(read(&with_storage(&pickle)).unwrap_err().problem, PthProblem::TooLarge { .. }));
    let file = [LEGACY_MAGIC, &pickle].concat();
    assert!(matches!(read(&file).unwrap_err().problem, PthProblem::TooLarge { .. }));
}

#[test]
fn a_name_without_end_is_refused() {
    let name = "n".repeat(5000);
    let length = u32::try_from(name.len()).unwrap().to_le_bytes();
    let tensor = weight(&[2], &[1]);
    let rest = &tensor[b"\x80\x02}X\x06\0\0\0weight".len()..];
    let pickle = [b"\x80\x02}X", length.as_slice(), name.as_bytes(), rest].concat();
    assert!(matches!(read(&with_storage(&pickle)).unwrap_err().problem, PthProblem::TooDeep { .. }));
}

proptest! {
    #[test]
    fn random_instructions_never_panic(pickle in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(read(&archive(&[("data.pkl", &pickle)])));
        drop(read(&[LEGACY_MAGIC, &pickle].concat()));
    }

    #[test]
    fn instructions_of_a_state_dict_in_any_order_never_panic(
        pieces in proptest::collection::vec(0..weight(&[2, 3], &[1, 1]).len(), 0..40),
        length in 1_usize..30,
    ) {
        let whole = weight(&[2, 3], &[1, 1]);
        let pickle: Vec<u8> =
            pieces.iter().flat_map(|&start| whole[start..].iter().take(length)).copied().collect();
        drop(read(&with_storage(&pickle)));
    }

    #[test]
    fn mutated_archives_never_panic(
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = with_storage(&weight(&[2], &[1]));
        *place.get_mut(&mut file) = byte;
        drop(read(&file));
        file.truncate(cut.index(file.len()));
        prop_assert!(read(&file).is_err(), "an archive without its end");
    }

    #[test]
    fn mutated_pickles_and_legacy_files_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (mut pickle, mut file) = (weight(&[2], &[1]), legacy());
        for (place, byte) in changes {
            *place.get_mut(&mut pickle) = byte;
            *place.get_mut(&mut file) = byte;
        }
        drop(read(&with_storage(&pickle)));
        drop(read(&file));
    }

    #[test]
    fn truncated_legacy_files_are_errors(cut in any::<prop::sample::Index>()) {
        let file = legacy();
        prop_assert!(read(&file[..cut.index(file.len())]).is_err());
    }
}
