//! Where in a checkpoint the weights are.

use std::collections::HashMap;
use std::rc::Rc;

use super::budget::Budget;
use super::error::PthProblem;
use super::names::{LONGEST_NAME, is_visible};
use super::tensor::StridedView;
use super::value::{DictId, Heap, ObjectId, Value};

/// Keys under which training scripts keep the running mean of the weights (EMA), which is better than the weights
/// themselves and so is taken before them, as timm does.
const EMA_KEYS: [&str; 6] =
    ["state_dict_ema", "model_ema", "ema_state_dict", "model_ema_state_dict", "ema_model", "ema"];

/// Keys under which training scripts keep the state dict beside the epoch, the optimiser and the rest. The first that
/// is there is taken.
const STATE_DICT_KEYS: [&str; 9] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "network",
    "net",
    "weights",
    "module",
    "state",
];

/// How deep modules may be nested; networks nest some ten.
const DEEPEST: usize = 64;

/// How many tensors a state dict and attributes the modules of a network may have; the largest have some ten thousand.
const MOST_ATTRIBUTES: usize = 1_000_000;

/// What a tensor takes beside its name until it is read, in bytes.
const TENSOR: usize = 256;

/// A tensor of a state dict, not yet read.
pub(super) type NamedView = (String, Rc<StridedView>);

/// The state dict in a file.
#[derive(Default)]
pub(super) struct Found {
    /// Its tensors, in the file's order.
    pub(super) tensors: Vec<NamedView>,
    /// Names of entries that Python would have to make, each with the class or function that would.
    pub(super) unread: Vec<(String, Rc<str>)>,
    /// The key under which the checkpoint keeps it.
    pub(super) key: Option<String>,
    /// The other keys of the checkpoint that hold tensors by name.
    pub(super) other_keys: Vec<String>,
}

/// The state dict, checkpoint or TorchScript module that is `root`: what the checkpoint keeps under `key`, else under
/// the first of the usual keys, else the only dict of tensors in it.
///
/// # Errors
/// [`PthProblem::NoStateDict`] when there is none, [`PthProblem::NoSuchKey`] when there is none under `key`,
/// [`PthProblem::SeveralStateDicts`] where nothing says which is meant.
pub(super) fn state_dict(
    root: &Value,
    key: Option<&str>,
    heap: &Heap,
    budget: &mut Budget,
) -> Result<Found, PthProblem> {
    let Value::Dict(dict) = root else {
        let found = content(root, heap, budget)?;
        return if found.tensors.is_empty() { Err(nothing(root, &found, heap)) } else { Ok(found) };
    };
    // A pickle can hold one dict under a hundred thousand keys: each is counted once.
    let mut counted: HashMap<DictId, usize> = HashMap::new();
    let mut count = |value: &Value| match value {
        Value::Dict(dict) => *counted.entry(*dict).or_insert_with(|| tensor_count(value, heap)),
        _ => tensor_count(value, heap),
    };
    let held: Vec<Held<'_>> = held_by_key(*dict, heap)
        .into_iter()
        .map(|(key, value)| Held { key, value, tensors: count(value) })
        .filter(|held| held.tensors > 0)
        .collect();
    let named = |wanted: &str| held.iter().find(|held| held.key == wanted);
    // A key that is none of the checkpoint's may name a module of the state dict.
    let usual = || EMA_KEYS.iter().chain(&STATE_DICT_KEYS).find_map(|key| named(key));
    let own = tensor_count(root, heap);
    let chosen = match (key.and_then(named).or_else(usual), held.as_slice()) {
        (Some(held), _) => Some(held),
        // Beside a state dict there may be a tensor or two, such as the best loss.
        (None, all) if all.iter().all(|held| held.tensors <= own) => None,
        (None, [only]) => Some(only),
        (None, all) => {
            return Err(PthProblem::SeveralStateDicts {
                keys: all.iter().map(|held| shown(held.key)).collect(),
            });
        }
    };
    let mut found = content(chosen.map_or(root, |held| held.value), heap, budget)?;
    let chosen = chosen.map(|held| held.key);
    if found.tensors.is_empty() {
        return Err(nothing(root, &found, heap));
    }
    found.key = chosen.map(shown);
    let others = held.iter().filter(|held| Some(held.key) != chosen);
    found.other_keys = others.map(|held| shown(held.key)).collect();
    if let Some(key) = key.filter(|key| Some(*key) != chosen) {
        keep_module(&mut found, key)?;
    }
    Ok(found)
}

/// What a checkpoint holds under a key, if that has tensors.
struct Held<'a> {
    key: &'a str,
    value: &'a Value,
    tensors: usize,
}

/// Keeps the tensors of one module, without the path to it.
fn keep_module(found: &mut Found, module: &str) -> Result<(), PthProblem> {
    let inside = |name: &str| Some(name.strip_prefix(module)?.strip_prefix('.')?.to_owned());
    let kept: Vec<NamedView> =
        found.tensors.iter().filter_map(|(name, view)| Some((inside(name)?, Rc::clone(view)))).collect();
    if kept.is_empty() {
        let keys = found.key.iter().chain(&found.other_keys).cloned().collect();
        return Err(PthProblem::NoSuchKey { key: module.to_owned(), keys });
    }
    found.tensors = kept;
    found.unread =
        found.unread.iter().filter_map(|(n, class)| Some((inside(n)?, Rc::clone(class)))).collect();
    Ok(())
}

/// The values with text for a key, of equal keys the last, as in Python.
fn held_by_key(dict: DictId, heap: &Heap) -> Vec<(&str, &Value)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut held: Vec<(&str, &Value)> = Vec::new();
    for (key, value) in heap.dict(dict) {
        let Value::Text(key) = key else { continue };
        match places.get(&**key) {
            Some(&place) => held[place].1 = value,
            None => {
                places.insert(key, held.len());
                held.push((key, value));
            }
        }
    }
    held
}

/// How many tensors by name a dict holds, not counting those in dicts in it. A module of TorchScript counts as more than
/// any dict.
fn tensor_count(value: &Value, heap: &Heap) -> usize {
    match value {
        Value::Object(_) => usize::MAX,
        Value::Dict(dict) => {
            let items = heap.dict(*dict).iter();
            items.filter(|item| matches!(item, (Value::Text(_), Value::Tensor(_)))).count()
        }
        _ => 0,
    }
}

fn content(value: &Value, heap: &Heap, budget: &mut Budget) -> Result<Found, PthProblem> {
    match value {
        Value::Object(module) => module_tensors(*module, heap, budget),
        Value::Dict(dict) => dict_tensors(*dict, heap, budget),
        _ => Ok(Found::default()),
    }
}

/// The tensors of a state dict; what else it holds (PyTorch's "extra state") is no weight.
fn dict_tensors(dict: DictId, heap: &Heap, budget: &mut Budget) -> Result<Found, PthProblem> {
    if heap.dict(dict).len() > MOST_ATTRIBUTES {
        return Err(malformed());
    }
    let mut found = Found::default();
    for (name, value) in held_by_key(dict, heap) {
        found.add(joined("", name)?, value, budget)?;
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, name: String, value: &Value, budget: &mut Budget) -> Result<(), PthProblem> {
        match value {
            Value::Tensor(view) => {
                budget.spend(name.len() + TENSOR)?;
                self.tensors.push((name, Rc::clone(view)));
            }
            Value::Placeholder(class) => {
                budget.spend(name.len() + TENSOR)?;
                self.unread.push((name, Rc::clone(class)));
            }
            _ => {}
        }
        Ok(())
    }
}

/// A tensor's name: the way to its module, and its own. A pickle can write a long name once and use it a million times.
fn joined(prefix: &str, key: &str) -> Result<String, PthProblem> {
    if prefix.len() + key.len() > LONGEST_NAME || !key.chars().all(is_visible) {
        return Err(malformed());
    }
    Ok(format!("{prefix}{key}"))
}

fn malformed() -> PthProblem {
    PthProblem::TooDeep { deepest: DEEPEST, longest: LONGEST_NAME }
}

/// The tensors of a TorchScript module and the modules in it, each named by its way there.
fn module_tensors(root: ObjectId, heap: &Heap, budget: &mut Budget) -> Result<Found, PthProblem> {
    let mut found = Found::default();
    // A depth-first walk in the file's order: the attributes yet to be looked at of each module on the way.
    let mut way = vec![(String::new(), heap.attributes(root).iter())];
    let mut seen = 0;
    loop {
        let depth = way.len();
        let Some((prefix, attributes)) = way.last_mut() else { return Ok(found) };
        let Some((key, value)) = attributes.next() else {
            way.pop();
            continue;
        };
        // Modules that share modules may unfold to more than there is in the file.
        seen += 1;
        if depth > DEEPEST || seen > MOST_ATTRIBUTES {
            return Err(malformed());
        }
        match (key, value) {
            (Value::Text(key), Value::Object(module)) => {
                let prefix = joined(prefix, key)? + ".";
                way.push((prefix, heap.attributes(*module).iter()));
            }
            (Value::Text(key), Value::Tensor(_)) => found.add(joined(prefix, key)?, value, budget)?,
            _ => {}
        }
    }
}

/// Why there are no tensors in `root`, where `found` are all candidates.
fn nothing(root: &Value, found: &Found, heap: &Heap) -> PthProblem {
    let tensor = |class: &str| {
        class.ends_with("Storage")
            || class.starts_with("torch._utils._rebuild")
            || class.starts_with("torch._tensor._rebuild")
    };
    if let Some((_, class)) = found.unread.iter().find(|(_, class)| tensor(class)) {
        return unread(class);
    }
    match root {
        Value::Placeholder(class) => unread(class),
        Value::Dict(dict) => {
            let held = held_by_key(*dict, heap);
            let usual = EMA_KEYS.iter().chain(&STATE_DICT_KEYS);
            let module = usual.into_iter().find_map(|usual| {
                held.iter().find_map(|(key, value)| match value {
                    Value::Placeholder(class) if key == usual => Some(class),
                    _ => None,
                })
            });
            module.map_or_else(
                || PthProblem::NoStateDict { found: description(root, heap) },
                |class| unread(class),
            )
        }
        _ => PthProblem::NoStateDict { found: description(root, heap) },
    }
}

/// What is wrong where weights are wanted and only this class or function could make them.
pub(super) fn unread(class: &str) -> PthProblem {
    match class.strip_prefix("torch.") {
        Some(storage) if storage.ends_with("Storage") => PthProblem::Storage(storage.to_owned()),
        _ => PthProblem::Global(class.to_owned()),
    }
}

/// A key as people read it: short, and of visible characters alone.
fn shown(key: &str) -> String {
    key.chars().take(40).map(|c| if is_visible(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// What `root` is instead of a state dict, in words.
fn description(root: &Value, heap: &Heap) -> String {
    /// As many keys as help to see what it is.
    const SHOWN: usize = 8;
    match root {
        Value::Dict(dict) => {
            let keys = heap.dict(*dict).iter().filter_map(|(key, _)| match key {
                Value::Text(key) => Some(format!("`{}`", shown(key))),
                _ => None,
            });
            let keys: Vec<String> = keys.take(SHOWN).collect();
            if keys.is_empty() {
                "an empty dict".to_owned()
            } else {
                format!("a dict of {}", keys.join(", "))
            }
        }
        Value::Tensor(_) => "a single tensor".to_owned(),
        Value::Sequence(_) => "a list".to_owned(),
        Value::Object(_) => "a module without tensors".to_owned(),
        _ => "a plain value".to_owned(),
    }
}
