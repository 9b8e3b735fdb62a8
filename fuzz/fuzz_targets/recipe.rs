//! Recipes: what is read must be written and read again as the same.
#![no_main]

use cairn_train::Recipe;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(recipe) = Recipe::parse(text, "fuzz") else { return };
    if let Ok(written) = recipe.to_toml() {
        assert!(Recipe::parse(&written, "written").is_ok_and(|again| again == recipe), "{written}");
    }
});
