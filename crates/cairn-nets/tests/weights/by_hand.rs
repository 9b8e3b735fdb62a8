//! Files that PyTorch of today does not write.

use cairn_nets::weights::PthProblem;

use crate::pickler::{archive, legacy, read, weight, with_storage};

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
fn nothing_that_runs_is_accepted() {
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
