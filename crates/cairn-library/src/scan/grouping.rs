//! Groups: which files of a folder are of one shot.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use cairn_photo::FileKind;

use super::member::Member;
use super::takeout;
use crate::state::Role;

/// What a file is in its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Membership {
    /// The index of the group's first file.
    pub(super) group: usize,
    pub(super) role: Role,
    pub(super) reason: Option<String>,
}

/// For each file of a folder, its group; `None` for files that have nothing to do with photos.
///
/// Pictures, raw files and videos of one stem are one shot. `photo.ext.xmp` belongs to `photo.ext`. `stem.xmp` belongs to
/// the file whose extension it claims (`claimed`), else to the only raw file of the stem, else to the only picture, else to
/// the only video. A JSON file of Takeout belongs to the photo of which it has the name, cut as Takeout cuts it.
pub(super) fn groups(
    files: &[Member<'_>],
    mut claimed: impl FnMut(&OsStr) -> Option<String>,
) -> Vec<Option<Membership>> {
    let mut found: Vec<Option<Membership>> = vec![None; files.len()];
    let by_name: HashMap<&OsStr, usize> =
        files.iter().enumerate().map(|(index, file)| (file.name, index)).collect();
    let by_lower_name: HashMap<OsString, usize> =
        files.iter().enumerate().map(|(index, file)| (lower(file.name), index)).collect();
    let mut by_stem: HashMap<&OsStr, Vec<usize>> = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        let Some(role) = role_of_shot(file.kind) else { continue };
        let shot = by_stem.entry(stem(file.name)).or_default();
        shot.push(index);
        found[index] = Some(Membership { group: shot[0], role, reason: None });
    }
    let titles = takeout::Titles::of(files);
    for (index, file) in files.iter().enumerate() {
        let membership = match extension(file.name).as_str() {
            "xmp" if !is_hidden(file.name) => {
                let named = named_by(file.name, &by_name, &by_lower_name);
                xmp(files, file.name, named, &by_stem, &mut claimed)
            }
            "json" if !is_hidden(file.name) => takeout_of(&titles, file),
            _ if file.kind == FileKind::Sidecar && !is_hidden(file.name) => other(files, file.name, &by_stem),
            _ => continue,
        };
        // The group of the file that it belongs to.
        found[index] = membership.map(|(owner, role, reason)| {
            let group = owner.and_then(|owner| found[owner].as_ref()).map_or(index, |owner| owner.group);
            Membership { group, role, reason }
        });
    }
    found
}

/// The file that a sidecar belongs to, what the sidecar is, and why it belongs to none.
type Belonging = (Option<usize>, Role, Option<String>);

fn role_of_shot(kind: FileKind) -> Option<Role> {
    match kind {
        FileKind::Photo => Some(Role::Picture),
        FileKind::Raw => Some(Role::Raw),
        FileKind::Video => Some(Role::Video),
        _ => None,
    }
}

/// The file of which this sidecar has the whole name.
fn named_by(
    sidecar: &OsStr,
    by_name: &HashMap<&OsStr, usize>,
    by_lower_name: &HashMap<OsString, usize>,
) -> Option<usize> {
    let whole = stem(sidecar);
    by_name.get(whole).or_else(|| by_lower_name.get(&lower(whole))).copied()
}

fn xmp(
    files: &[Member<'_>],
    name: &OsStr,
    named: Option<usize>,
    by_stem: &HashMap<&OsStr, Vec<usize>>,
    claimed: &mut impl FnMut(&OsStr) -> Option<String>,
) -> Option<Belonging> {
    if let Some(owner) = named {
        // A duplicate's sidecar in darktable: it is of `X.ext`, and so may `X_01.ext`'s own be.
        let reason = original_of_duplicate(files[owner].name)
            .filter(|original| files.iter().any(|file| file.name == original.as_os_str()));
        return Some((
            Some(owner),
            Role::Xmp,
            reason.map(|_| "darktable takes it for a duplicate's sidecar".to_owned()),
        ));
    }
    let Some(sharing) = by_stem.get(stem(name)) else {
        return Some(match original_of_duplicate(stem(name)) {
            Some(original) => match files.iter().position(|file| file.name == original.as_os_str()) {
                Some(owner) => {
                    (Some(owner), Role::OtherSidecar, Some("a duplicate's in darktable".to_owned()))
                }
                None => (None, Role::Orphan, Some("no photo of this name".to_owned())),
            },
            None => (None, Role::Orphan, Some("no photo of this name".to_owned())),
        });
    };
    let of = |wanted: &dyn Fn(&Member<'_>) -> bool| -> Vec<usize> {
        sharing.iter().copied().filter(|&index| wanted(&files[index])).collect()
    };
    let candidates = if let [_] = sharing.as_slice() {
        sharing.clone()
    } else if let Some(claimed) = claimed(name) {
        let claimed = claimed.trim_start_matches('.').to_lowercase();
        of(&|file| extension(file.name) == claimed)
    } else {
        let kinds = [FileKind::Raw, FileKind::Photo, FileKind::Video];
        kinds
            .iter()
            .map(|kind| of(&|file| file.kind == *kind))
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    };
    Some(match candidates.as_slice() {
        [owner] => (Some(*owner), Role::Xmp, None),
        _ => (Some(sharing[0]), Role::Ambiguous, Some("several photos share its name".to_owned())),
    })
}

fn takeout_of(titles: &takeout::Titles<'_>, file: &Member<'_>) -> Option<Belonging> {
    match titles.owners(file.name).as_slice() {
        [owner] => Some((Some(*owner), Role::Takeout, None)),
        [] if file.kind == FileKind::Sidecar && stem(file.name) != "metadata" => {
            Some((None, Role::Orphan, Some("no photo of this name".to_owned())))
        }
        [] => None,
        [first, ..] => {
            Some((Some(*first), Role::Ambiguous, Some("its name, cut short, fits several photos".to_owned())))
        }
    }
}

/// AAE, THM and others share the stem, or have the whole name.
fn other(files: &[Member<'_>], name: &OsStr, by_stem: &HashMap<&OsStr, Vec<usize>>) -> Option<Belonging> {
    let whole = stem(name);
    let owner = files.iter().position(|file| file.name == whole).filter(|_| whole != name);
    let owner = owner.or_else(|| by_stem.get(whole).and_then(|sharing| sharing.first().copied()));
    Some(match owner {
        Some(owner) => (Some(owner), Role::OtherSidecar, None),
        None => (None, Role::Orphan, Some("no photo of this name".to_owned())),
    })
}

/// `X.ext` of `X_01.ext`: darktable numbers duplicates so.
fn original_of_duplicate(name: &OsStr) -> Option<OsString> {
    let text = name.to_str()?;
    let (stem, extension) = text.rsplit_once('.')?;
    let (original, number) = stem.rsplit_once('_')?;
    let is_number = (2..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !original.is_empty()).then(|| format!("{original}.{extension}").into())
}

fn stem(name: &OsStr) -> &OsStr {
    Path::new(name).file_stem().unwrap_or(name)
}

fn extension(name: &OsStr) -> String {
    Path::new(name).extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

fn lower(name: &OsStr) -> OsString {
    name.to_ascii_lowercase()
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The names of each group, in order.
    fn named_groups(
        files: &[Member<'_>],
        found: &[Option<Membership>],
    ) -> BTreeMap<usize, Vec<(String, Role)>> {
        let mut groups: BTreeMap<usize, Vec<(String, Role)>> = BTreeMap::new();
        for (file, membership) in files.iter().zip(found) {
            if let Some(membership) = membership {
                let name = file.name.to_string_lossy().into_owned();
                groups.entry(membership.group).or_default().push((name, membership.role));
            }
        }
        groups
    }

    fn grouped(names: &[&str], claims: &[(&str, &str)]) -> Vec<Vec<(String, Role)>> {
        let files: Vec<Member<'_>> = names
            .iter()
            .map(|name| Member { name: OsStr::new(name), kind: FileKind::of_name(name) })
            .collect();
        let claimed = |name: &OsStr| {
            claims.iter().find(|(sidecar, _)| name == *sidecar).map(|(_, claim)| (*claim).to_owned())
        };
        named_groups(&files, &groups(&files, claimed)).into_values().collect()
    }

    fn group(members: &[(&str, Role)]) -> Vec<(String, Role)> {
        members.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect()
    }

    #[test]
    fn a_raw_file_its_jpeg_and_their_sidecars_are_one_shot() {
        assert_eq!(
            grouped(&["DSC_1.JPG", "DSC_1.JPG.xmp", "DSC_1.NEF", "DSC_1.xmp", "DSC_2.JPG"], &[]),
            [
                group(&[
                    ("DSC_1.JPG", Role::Picture),
                    ("DSC_1.JPG.xmp", Role::Xmp),
                    ("DSC_1.NEF", Role::Raw),
                    ("DSC_1.xmp", Role::Xmp)
                ]),
                group(&[("DSC_2.JPG", Role::Picture)]),
            ]
        );
    }

    #[test]
    fn a_live_photo_is_one_shot_with_its_film_and_its_edits() {
        assert_eq!(
            grouped(&["IMG_1.AAE", "IMG_1.HEIC", "IMG_1.MOV", "IMG_1.xmp"], &[]),
            [group(&[
                ("IMG_1.AAE", Role::OtherSidecar),
                ("IMG_1.HEIC", Role::Picture),
                ("IMG_1.MOV", Role::Video),
                ("IMG_1.xmp", Role::Xmp)
            ])]
        );
    }

    #[test]
    fn a_sidecar_that_several_photos_may_own_belongs_to_the_one_it_claims() {
        let names = ["a.jpg", "a.png", "a.xmp"];
        let role = |claims: &[(&str, &str)]| grouped(&names, claims)[0][2].1;
        assert_eq!(role(&[]), Role::Ambiguous);
        assert_eq!(role(&[("a.xmp", "png")]), Role::Xmp);
        assert_eq!(role(&[("a.xmp", "tif")]), Role::Ambiguous);
    }

    #[test]
    fn a_sidecar_without_a_photo_and_one_of_a_duplicate_are_never_a_photos_own() {
        assert_eq!(grouped(&["b.xmp"], &[]), [group(&[("b.xmp", Role::Orphan)])]);
        assert_eq!(
            grouped(&["a.jpg", "a_01.jpg.xmp"], &[]),
            [group(&[("a.jpg", Role::Picture), ("a_01.jpg.xmp", Role::OtherSidecar)])]
        );
        assert_eq!(grouped(&["notes.txt", "._a.jpg"], &[]), Vec::<Vec<(String, Role)>>::new());
    }

    #[test]
    fn takeouts_files_belong_to_their_photos_also_where_their_names_are_cut() {
        let long = "Screenshot_20190714-150405_A very long name.jpg";
        // Takeout cuts the name before `.json` to 46 characters.
        let cut = format!("{}.json", &long[..46]);
        let suffix = "IMG_20190714_150405.jpg.supplemental-metadata.json";
        let names = [
            "IMG_20190714_150405.jpg",
            suffix,
            long,
            cut.as_str(),
            "P.jpg",
            "P(1).jpg",
            "P.jpg.json",
            "P.jpg(1).json",
            "Q.heic",
            "Q.heic.supplemental-meta.json",
            "metadata.json",
        ];
        let groups = grouped(&names, &[]);
        let pairs: Vec<Vec<&str>> =
            groups.iter().map(|group| group.iter().map(|(name, _)| name.as_str()).collect()).collect();
        assert_eq!(
            pairs,
            [
                vec!["IMG_20190714_150405.jpg", suffix],
                vec![long, cut.as_str()],
                vec!["P.jpg", "P.jpg.json"],
                vec!["P(1).jpg", "P.jpg(1).json"],
                vec!["Q.heic", "Q.heic.supplemental-meta.json"],
            ]
        );
        assert!(groups.iter().all(|group| group[1].1 == Role::Takeout), "{groups:?}");
    }

    #[test]
    fn a_cut_name_that_fits_two_photos_is_ambiguous() {
        let stem = "Screenshot_20190714-150405_A very long name of";
        let (one, two) = (format!("{stem} one.jpg"), format!("{stem} two.jpg"));
        let cut = format!("{}.json", &stem[..46]);
        let groups = grouped(&[&one, &two, &cut], &[]);
        assert_eq!(groups[0][1].1, Role::Ambiguous, "{groups:?}");
    }
}
