//! Files that PyTorch of today does not write.

use cairn_nets::weights::PthProblem;

use crate::pickler::{archive, legacy, read, read_content, weight, with_storage};

#[test]
fn a_tensor_is_what_its_pickle_says() {
    let tensors = read(&with_storage(&weight(&[2], &[1]))).unwrap();
    assert_eq!(tensors.len(), 1);
    assert_eq!((tensors[0].name.as_str(), tensors[0].to_f32()), ("weight", vec![1.0, 2.0]));
}

#[test]
fn an_ordered_dict_of_pairs_as_python_2_wrote_it_is_read() {
    let tensor = weight(&[2], &[1]);
    // The instructions between the key's and the dict's own.
    let (key, rest) = (b"U\x06weight", &tensor[b"\x80\x02}X\x06\0\0\0weight".len()..tensor.len() - 2]);
    let pickle = [b"\x80\x02ccollections\nOrderedDict\n]](", key.as_slice(), rest, b"ea\x85R."].concat();
    let tensors = read(&with_storage(&pickle)).unwrap();
    assert_eq!((tensors[0].name.as_str(), tensors[0].to_f32()), ("weight", vec![1.0, 2.0]));
}

#[test]
fn big_endian_files_are_refused() {
    let file = archive(&[("data.pkl", &weight(&[2], &[1])), ("byteorder", b"big"), ("data/0", &[0; 8])]);
    assert!(matches!(read(&file).unwrap_err().problem, PthProblem::BigEndian));
    let mut file = legacy();
    // True becomes false after the key.
    let key = file.windows(13).position(|window| window == b"little_endian").unwrap();
    file[key + 13] = 0x89;
    assert!(matches!(read(&file).unwrap_err().problem, PthProblem::BigEndian));
}

#[test]
fn nothing_that_runs_is_run_and_what_it_would_make_is_no_state_dict() {
    for (module, name) in
        [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("torch._utils", "exec")]
    {
        let pickle = format!("\x02c{module}\n{name}\n(X\x02\0\0\0lstR.");
        let pickle = [b"\x80", pickle.as_bytes()].concat();
        let error = read(&with_storage(&pickle)).unwrap_err();
        assert!(error.to_string().contains(&format!("`{module}.{name}`")), "{error}");
    }
    let stacked = b"\x80\x04\x8c\x02os\x8c\x06system\x93)R.";
    assert!(
        matches!(read(&with_storage(stacked)).unwrap_err().problem, PthProblem::Global(name) if name == "os.system")
    );
}

/// `{"extra": ..., "weight": tensor}`, the extra of these instructions.
fn beside(extra: &[u8]) -> Vec<u8> {
    let tensor = weight(&[2], &[1]);
    let rest = &tensor[b"\x80\x02}X\x06\0\0\0weight".len()..];
    [b"\x80\x04}X\x05\0\0\0extra", extra, b"sX\x06\0\0\0weight", rest].concat()
}

#[test]
fn what_only_python_can_make_is_passed_over_beside_the_weights_and_named() {
    let cases: [(&str, &[u8], &[&str]); 9] = [
        (
            "namespace",
            b"cargparse\nNamespace\n)\x81}X\x02\0\0\0lrG?\xb9\x99\x99\x99\x99\x99\x9asb",
            &["argparse.Namespace"],
        ),
        ("device", b"ctorch\ndevice\nX\x03\0\0\0cpu\x85R", &["torch.device"]),
        ("dtype", b"ctorch\nfloat32\n", &["torch.float32"]),
        (
            "dict of lists",
            b"ccollections\ndefaultdict\nc__builtin__\nlist\n\x85RX\x01\0\0\0a]K\x01as",
            &["__builtin__.list", "collections.defaultdict"],
        ),
        ("list of a class", b"ccollections\ndeque\n)R(K\x01K\x02eK\x03a", &["collections.deque"]),
        ("set of protocol 2", b"c__builtin__\nset\n]X\x01\0\0\0aa\x85R", &["__builtin__.set"]),
        ("sets of protocol 4", b"\x8f(K\x01K\x02\x90(K\x03\x91\x86", &[]),
        ("arguments by name", b"cm\nC\n)}\x92}b", &["m.C"]),
        ("code", b"cos\nsystem\nX\x04\0\0\0true\x85R", &["os.system"]),
    ];
    for (name, extra, classes) in cases {
        let content = read_content(&with_storage(&beside(extra)), None);
        let content = content.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(content.tensors.len(), 1, "{name}");
        assert_eq!(content.tensors[0].to_f32(), [1.0, 2.0], "{name}");
        assert_eq!(content.unread_classes, classes, "{name}");
    }
}

#[test]
fn an_entry_of_the_state_dict_that_only_python_can_make_is_named_with_its_class() {
    let extra = b"ctorch._utils\n_rebuild_tensor_v3\n)R";
    let content = read_content(&with_storage(&beside(extra)), None).unwrap();
    let expected = ("extra".to_owned(), "torch._utils._rebuild_tensor_v3".to_owned());
    assert_eq!(content.unread_entries, [expected]);
}

#[test]
fn names_with_control_characters_are_refused() {
    let mut pickle = weight(&[2], &[1]);
    let place = pickle.windows(6).position(|window| window == b"weight").unwrap();
    for hidden in [b'\x1b', b'\n', 0] {
        pickle[place] = hidden;
        let problem = read(&with_storage(&pickle)).unwrap_err().problem;
        assert!(matches!(problem, PthProblem::TooDeep { .. }), "{problem}");
    }
}

#[test]
fn a_file_that_is_none_of_pytorch_is_told_as_such() {
    for bytes in [b"".as_slice(), b"P", b"hello", &archive(&[("readme.txt", b"hello")])] {
        assert!(matches!(read(bytes).unwrap_err().problem, PthProblem::NotPytorch), "{bytes:?}");
    }
}

#[test]
fn a_missing_storage_and_a_short_one_are_named() {
    let pickle = weight(&[2], &[1]);
    let error = read(&archive(&[("data.pkl", &pickle)])).unwrap_err();
    assert!(error.to_string().contains("archive/data/0"), "{error}");
    let error = read(&archive(&[("data.pkl", &pickle), ("data/0", &[0; 7])])).unwrap_err();
    assert!(error.to_string().contains("`weight` reaches outside"), "{error}");
}

#[test]
fn the_message_begins_with_the_path() {
    let error = read(b"hello").unwrap_err();
    assert!(error.to_string().starts_with(error.path.to_str().unwrap()), "{error}");
}
