//! The values in which recipes differ.

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

use crate::recipe::{Recipe, RecipeError};

/// A value that is not the same in all of several recipes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key with those above it: `optimiser.learning_rate`, `photos.augment.0.random_crop.size`.
    pub key: String,
    /// Each recipe's value, in the order of the recipes; `None` where a recipe lacks the key.
    pub values: Vec<Option<String>>,
}

/// The values in which the recipes differ, by key in alphabetical order.
///
/// # Errors
/// When a recipe cannot be written as TOML.
pub fn recipe_diff(recipes: &[&Recipe]) -> Result<Vec<Difference>, RecipeError> {
    let flat = recipes
        .iter()
        .map(|recipe| {
            let value = toml::from_str(&recipe.to_toml()?).map_err(|e| RecipeError::Fault(e.to_string()))?;
            let mut leaves = BTreeMap::new();
            collect_leaves(&value, String::new(), &mut leaves);
            Ok(leaves)
        })
        .collect::<Result<Vec<_>, RecipeError>>()?;
    let keys: BTreeSet<&String> = flat.iter().flat_map(BTreeMap::keys).collect();
    let all = keys.into_iter().map(|key| Difference {
        key: key.clone(),
        values: flat.iter().map(|leaves| leaves.get(key).cloned()).collect(),
    });
    Ok(all.filter(|difference| difference.values.windows(2).any(|pair| pair[0] != pair[1])).collect())
}

/// Tables and lists of tables are gone through; every other value is a leaf under its dotted key.
fn collect_leaves(value: &Value, key: String, leaves: &mut BTreeMap<String, String>) {
    let below = |part: &str| if key.is_empty() { part.to_owned() } else { format!("{key}.{part}") };
    match value {
        Value::Table(table) => {
            for (part, value) in table {
                collect_leaves(value, below(part), leaves);
            }
        }
        Value::Array(list) if list.iter().any(Value::is_table) => {
            for (place, value) in list.iter().enumerate() {
                collect_leaves(value, below(&place.to_string()), leaves);
            }
        }
        leaf => {
            leaves.insert(key, text_of(leaf));
        }
    }
}

/// A value as a person writes it: strings without quotation marks; the table of a choice by its `kind`, the rest after it.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Table(table) => {
            let kind = table.get("kind").map(text_of);
            let others = table.iter().filter(|(key, _)| *key != "kind");
            let others = others.map(|(key, value)| format!("{key}={}", text_of(value)));
            kind.into_iter().chain(others).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Schedule;

    #[test]
    fn only_the_values_that_differ_are_named_and_a_lacking_key_is_told() {
        let one = Recipe::find("demo").unwrap();
        let mut other = one.clone();
        other.training.batch = 7;
        other.schedule = Schedule::Exponential { gamma: 0.9, warmup_epochs: 1.0 };
        let found = recipe_diff(&[&one, &other, &one]).unwrap();
        let found: Vec<(&str, Vec<Option<&str>>)> =
            found.iter().map(|d| (d.key.as_str(), d.values.iter().map(Option::as_deref).collect())).collect();
        let batch = one.training.batch.to_string();
        let batch = Some(batch.as_str());
        assert_eq!(
            found,
            [
                ("schedule.floor", vec![Some("0.0"), None, Some("0.0")]),
                ("schedule.gamma", vec![None, Some("0.9"), None]),
                ("schedule.kind", vec![Some("cosine"), Some("exponential"), Some("cosine")]),
                ("training.batch", vec![batch, Some("7"), batch]),
            ]
        );
    }

    #[test]
    fn steps_of_the_augmentation_are_compared_one_by_one() {
        let one = Recipe::find("demo").unwrap();
        let text = one.to_toml().unwrap().replace("[0.5, 1.0]", "[0.25, 1.0]");
        let other = Recipe::parse(&text, "changed").unwrap();
        let found = recipe_diff(&[&one, &other]).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].key, "photos.augment.0.random_resized_crop.scale");
    }

    #[test]
    fn one_recipe_differs_from_nothing() {
        assert_eq!(recipe_diff(&[&Recipe::find("demo").unwrap()]).unwrap(), []);
    }
}
