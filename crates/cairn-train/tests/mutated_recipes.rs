//! Recipes that harm was done to at random: each is a recipe that can be written again, or an error, soon.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use cairn_mutate::survives;
use cairn_train::Recipe;

#[test]
fn damaged_recipes_never_panic_and_what_is_read_can_be_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let seeds: Vec<Vec<u8>> = files.collect();
    assert!(seeds.len() > 3, "{} recipes", seeds.len());
    let whole = survives(&seeds, 60, |bytes| {
        let Ok(recipe) = Recipe::parse(&String::from_utf8_lossy(bytes), "damaged") else { return false };
        // TOML has no seeds beyond 63 bits.
        if let Ok(written) = recipe.to_toml() {
            assert_eq!(Recipe::parse(&written, "written").unwrap(), recipe);
        }
        true
    });
    assert!(whole > 20, "{whole} recipes were read");
}
