//! Manifests that harm was done to at random: each is a data set or an error, soon.

use std::fs;

use cairn_dataset::{ImageFolder, ValidSplit};
use cairn_mutate::survives;

#[test]
fn damaged_manifests_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photos.csv");
    let seeds: [&[u8]; 3] = [
        b"path,label,split\na/1.jpg,Dome,train\n\"b, 2.jpg\",\"Old \"\"Mill\"\"\",test\nc.png,Dome,valid\n",
        b"path;label\r\na.jpg;Dome\r\n",
        b"\xef\xbb\xbfpath\tlabel\na.jpg\tTour Eiffel\n",
    ];
    let whole = survives(&seeds.map(<[u8]>::to_vec), 400, |bytes| {
        fs::write(&path, bytes).unwrap();
        ImageFolder::open(&path, &ValidSplit::default()).is_ok()
    });
    assert!(whole > 20, "{whole} manifests were read");
}
