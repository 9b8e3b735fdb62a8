//! What tests need of a machine, and what happens where it is missing.
//!
//! A test that lacks something says "skipped" and passes. On a machine that promised to have it that would hide a
//! failure, so two environment variables make such a skip a failure:
//!
//! - `CAIRN_REQUIRE=python,exiftool`: these needs, by their names ([`Need::name`]);
//! - `CAIRN_REQUIRE_ALL=1`: all of them.

use std::env;
use std::fmt::Display;

/// Something that a machine may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Python with the packages of `.ci/python-requirements.txt`; `CAIRN_PYTHON` names it.
    Python,
    /// exiftool, which reads and writes metadata of photos.
    Exiftool,
    /// exiv2, which does that too.
    Exiv2,
    /// darktable-cli, which develops photos and imports their sidecars.
    Darktable,
    /// Chromium, a browser that runs without a screen.
    Chromium,
    /// chromedriver, which steers Chromium.
    Chromedriver,
    /// The packages of `.ci/npm-packages.txt` in `target/npm`, which pages load in tests.
    NpmPackages,
    /// tmux, a terminal of any size.
    Tmux,
    /// wrk, which loads a web server.
    Wrk,
    /// Real photos, in the folder that `CAIRN_DATA` names.
    Data,
    /// Published weights, in the folder `weights` beside that of the photos.
    Weights,
    /// A processor with AMX whose system lets this process use it.
    Amx,
    /// A processor that multiplies matrices of bf16.
    Bf16,
    /// A graphics card.
    Gpu,
    /// A system that says how much memory a process uses.
    MemoryFigures,
    /// A system on which a process may mount file systems for itself alone (Linux, with user namespaces).
    Mounts,
    /// A process that was not started with SIGHUP ignored (as `nohup` does).
    Hangups,
}

impl Need {
    /// Every need.
    pub const ALL: [Self; 17] = [
        Self::Python,
        Self::Exiftool,
        Self::Exiv2,
        Self::Darktable,
        Self::Chromium,
        Self::Chromedriver,
        Self::NpmPackages,
        Self::Tmux,
        Self::Wrk,
        Self::Data,
        Self::Weights,
        Self::Amx,
        Self::Bf16,
        Self::Gpu,
        Self::MemoryFigures,
        Self::Mounts,
        Self::Hangups,
    ];

    /// Its name in `CAIRN_REQUIRE`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Exiftool => "exiftool",
            Self::Exiv2 => "exiv2",
            Self::Darktable => "darktable",
            Self::Chromium => "chromium",
            Self::Chromedriver => "chromedriver",
            Self::NpmPackages => "npm-packages",
            Self::Tmux => "tmux",
            Self::Wrk => "wrk",
            Self::Data => "data",
            Self::Weights => "weights",
            Self::Amx => "amx",
            Self::Bf16 => "bf16",
            Self::Gpu => "gpu",
            Self::MemoryFigures => "memory-figures",
            Self::Mounts => "mounts",
            Self::Hangups => "hangups",
        }
    }
}

/// Says that a test, or a part of one, skips for want of `need`; `why` says what is missing and where it was looked for.
///
/// # Panics
/// When `CAIRN_REQUIRE` or `CAIRN_REQUIRE_ALL` asks for the need, or `CAIRN_REQUIRE` has a name that no need has.
pub fn skip(need: Need, why: impl Display) {
    let variable = |name| env::var(name).unwrap_or_default();
    match required(&variable("CAIRN_REQUIRE_ALL"), &variable("CAIRN_REQUIRE")) {
        Err(unknown) => {
            panic!("CAIRN_REQUIRE: `{unknown}` is none of {}", Need::ALL.map(Need::name).join(", "))
        }
        Ok(required) if required.contains(&need) => {
            panic!("{} is required here, so this test may not be skipped: {why}", need.name())
        }
        Ok(_) => println!("skipped: {why}"),
    }
}

/// The needs that the values of `CAIRN_REQUIRE_ALL` and `CAIRN_REQUIRE` ask for, or the first name that is unknown.
fn required(all: &str, list: &str) -> Result<Vec<Need>, String> {
    if !matches!(all, "" | "0") {
        return Ok(Need::ALL.to_vec());
    }
    let names = list.split([',', ' ']).filter(|name| !name.is_empty());
    let needs =
        names.map(|name| Need::ALL.into_iter().find(|need| need.name() == name).ok_or(name.to_owned()));
    needs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_is_what_the_variables_ask_for() {
        assert_eq!(required("", ""), Ok(vec![]));
        assert_eq!(
            required("", "python, tmux memory-figures"),
            Ok(vec![Need::Python, Need::Tmux, Need::MemoryFigures])
        );
        assert_eq!(required("0", "gpu"), Ok(vec![Need::Gpu]));
        assert_eq!(required("1", ""), Ok(Need::ALL.to_vec()));
    }

    #[test]
    fn a_name_that_no_need_has_is_not_passed_over() {
        assert_eq!(required("", "python,exiftol"), Err("exiftol".to_owned()));
    }

    #[test]
    fn needs_have_names_of_their_own() {
        for need in Need::ALL {
            assert_eq!(required("", need.name()), Ok(vec![need]));
        }
    }
}
