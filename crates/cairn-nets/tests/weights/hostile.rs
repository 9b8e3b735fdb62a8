//! Files made to do harm, and files that harm was done to: each ends in tensors or an error, soon.

use std::fmt::Write;
use std::time::Duration;

use cairn_nets::weights::PthProblem;
use cairn_reference::CpuClock;
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
fn values_nested_hundreds_of_thousands_deep_do_no_harm() {
    let mut pickle = b"\x80\x02N".to_vec();
    pickle.extend([0x85; 400_000]);
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
fn one_limit_holds_for_all_pickles_of_a_file() {
    // Four pickles of a list of as many lists as fit: forty bytes and more of memory for each of the file's.
    let lists = [b"\x80\x02(".as_slice(), &vec![b']'; 15_900_000], b"l."].concat();
    let file = [LEGACY_MAGIC, &lists, &lists, &lists, &lists].concat();
    let problem = read(&file).unwrap_err().problem;
    let PthProblem::TooLarge { limit } = problem else { panic!("{problem}") };
    assert_eq!(limit, (64 << 20) + file.len() as u64);
}

#[test]
fn values_that_repeat_what_was_memorised_count_as_often_as_they_are_made() {
    // A shape of sixty axes, memorised, and a million tensors of it: five hundred bytes each.
    let mut pickle = b"\x80\x02(ctorch._utils\n_rebuild_tensor_v2\nq\x00".to_vec();
    pickle.extend(b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x02tQq\x01");
    pickle.extend(b"(");
    pickle.extend(b"K\x01".repeat(60));
    pickle.extend(b"tq\x02(h\x01K\0h\x02h\x02tq\x03");
    pickle.extend(b"h\x00h\x03R".repeat(1_000_000));
    pickle.extend(b"l.");
    assert!(matches!(read(&with_storage(&pickle)).unwrap_err().problem, PthProblem::TooLarge { .. }));
    // A class's long name, memorised in two halves, and put together a million times.
    let half = [b"X\xc8\0\0\0".as_slice(), &[b'm'; 200]].concat();
    let mut pickle = [b"\x80\x02(".as_slice(), &half, b"q\x00", &half, b"q\x01"].concat();
    pickle.extend(b"h\x00h\x01\x93".repeat(1_000_000));
    pickle.extend(b"l.");
    assert!(matches!(read(&with_storage(&pickle)).unwrap_err().problem, PthProblem::TooLarge { .. }));
}

#[test]
fn one_dict_under_a_hundred_thousand_keys_is_looked_through_once() {
    let mut pickle = b"\x80\x02}q\x00(".to_vec();
    for item in 0..100_000_u32 {
        pickle.extend([b"J".as_slice(), &item.to_le_bytes(), b"N"].concat());
    }
    pickle.extend(b"u0}(");
    for key in 0..100_000 {
        pickle.extend([b"X\x06\0\0\0".as_slice(), format!("{key:06}").as_bytes(), b"h\x00"].concat());
    }
    pickle.extend(b"u.");
    let clock = CpuClock::start();
    assert!(matches!(read(&with_storage(&pickle)).unwrap_err().problem, PthProblem::NoStateDict { .. }));
    assert!(clock.elapsed() < Some(Duration::from_secs(10)), "{:?}", clock.elapsed());
}

#[test]
fn entries_of_an_archive_that_share_bytes_are_refused() {
    let whole = with_storage(&weight(&[2], &[1]));
    // The list of entries says where each begins; the second's is made the third's.
    let signature = b"PK\x01\x02";
    let entries: Vec<usize> = whole
        .windows(4)
        .enumerate()
        .filter(|(_, window)| window == signature)
        .map(|(place, _)| place)
        .collect();
    let offset = |place: usize| place + 42..place + 46;
    let mut shared = whole.clone();
    let third = whole[offset(entries[2])].to_vec();
    shared[offset(entries[1])].copy_from_slice(&third);
    let error = read(&shared).unwrap_err();
    assert!(
        matches!(error.problem, PthProblem::Archive(_)) && error.to_string().contains("overlap"),
        "{error}"
    );
}

#[test]
fn a_compressed_entry_is_refused_before_it_is_unpacked() {
    let mut file = with_storage(&weight(&[2], &[1]));
    // Method 8, deflate, and four gigabytes for every entry.
    for (signature, method, size) in [(b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)] {
        let places: Vec<usize> =
            file.windows(4).enumerate().filter(|(_, w)| w == signature).map(|(p, _)| p).collect();
        for place in places {
            file[place + method] = 8;
            file[place + size..][..4].copy_from_slice(&0xf000_0000_u32.to_le_bytes());
        }
    }
    let error = read(&file).unwrap_err();
    assert!(matches!(error.problem, PthProblem::Archive(_) | PthProblem::TooLarge { .. }), "{error}");
}

#[test]
fn an_archive_of_more_entries_than_any_network_has_tensors_is_refused() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for name in 0..150_000 {
        zip.start_file(format!("archive/data/{name}"), options).unwrap();
    }
    zip.start_file("archive/data.pkl", options).unwrap();
    let file = zip.finish().unwrap().into_inner();
    let error = read(&file).unwrap_err();
    assert!(error.to_string().contains("too long a one"), "{error}");
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
