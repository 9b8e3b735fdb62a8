//! Where in a checkpoint the weights are.

use std::rc::Rc;

use super::error::PthProblem;
use super::tensor::StridedView;
use super::value::{DictId, Heap, ObjectId, Value};

/// Keys under which training scripts keep the state dict beside the epoch, the optimiser and the rest; the first that
/// is there holds.
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

/// Prefixes that PyTorch's wrappers (DataParallel, `torch.compile`) put before every name.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];

/// How deep modules may be nested; networks nest some ten.
const DEEPEST: usize = 64;

/// How many tensors a state dict and attributes the modules of a network may have; the largest have some ten thousand.
const MOST_ATTRIBUTES: usize = 1_000_000;

/// How long a tensor's name may be, in bytes.
const LONGEST_NAME: usize = 512;

/// A tensor of a state dict, not yet read.
pub(super) type NamedView = (String, Rc<StridedView>);

/// The tensors of the state dict, checkpoint or TorchScript module that is `root`, in the file's order.
///
/// # Errors
/// [`PthProblem::NoStateDict`] when there are none.
pub(super) fn state_dict(root: &Value, heap: &Heap) -> Result<Vec<NamedView>, PthProblem> {
    let mut tensors = match root {
        Value::Object(module) => module_tensors(*module, heap)?,
        Value::Dict(dict) => match inner(*dict, heap) {
            Some(Value::Object(module)) => module_tensors(module, heap)?,
            Some(Value::Dict(inner)) => dict_tensors(inner, heap)?,
            _ => dict_tensors(*dict, heap)?,
        },
        _ => Vec::new(),
    };
    if tensors.is_empty() {
        return Err(PthProblem::NoStateDict { found: description(root, heap) });
    }
    // One wrapper may be in another.
    while let Some(wrapper) =
        WRAPPERS.into_iter().find(|w| tensors.iter().all(|(name, _)| name.starts_with(w)))
    {
        tensors.iter_mut().for_each(|(name, _)| drop(name.drain(..wrapper.len())));
    }
    Ok(tensors)
}

/// The state dict that a checkpoint keeps under a key of its own.
fn inner(dict: DictId, heap: &Heap) -> Option<Value> {
    let held_under = |wanted: &str| {
        let found =
            heap.dict(dict).iter().find(|(key, _)| matches!(key, Value::Text(key) if **key == *wanted));
        found.map(|(_, value)| value.clone()).filter(|v| matches!(v, Value::Dict(_) | Value::Object(_)))
    };
    STATE_DICT_KEYS.into_iter().find_map(held_under)
}

/// The tensors of a state dict; what else it holds (PyTorch's "extra state") is no weight.
fn dict_tensors(dict: DictId, heap: &Heap) -> Result<Vec<NamedView>, PthProblem> {
    if heap.dict(dict).len() > MOST_ATTRIBUTES {
        return Err(too_deep());
    }
    let named = heap.dict(dict).iter().filter_map(|(key, value)| match (key, value) {
        (Value::Text(name), Value::Tensor(view)) => {
            Some(joined("", name).map(|name| (name, Rc::clone(view))))
        }
        _ => None,
    });
    named.collect()
}

/// A tensor's name: the way to its module, and its own. A pickle can write a long name once and use it a million times.
fn joined(prefix: &str, key: &str) -> Result<String, PthProblem> {
    if prefix.len() + key.len() > LONGEST_NAME {
        return Err(too_deep());
    }
    Ok(format!("{prefix}{key}"))
}

fn too_deep() -> PthProblem {
    PthProblem::TooDeep { deepest: DEEPEST, longest: LONGEST_NAME }
}

/// The tensors of a TorchScript module and the modules in it, each named by its way there.
fn module_tensors(root: ObjectId, heap: &Heap) -> Result<Vec<NamedView>, PthProblem> {
    let mut tensors = Vec::new();
    // A depth-first walk in the file's order: the attributes yet to be looked at of each module on the way.
    let mut way = vec![(String::new(), heap.attributes(root).iter())];
    let mut seen = 0;
    loop {
        let depth = way.len();
        let Some((prefix, attributes)) = way.last_mut() else { return Ok(tensors) };
        let Some((key, value)) = attributes.next() else {
            way.pop();
            continue;
        };
        // Modules that share modules may unfold to more than there is in the file.
        seen += 1;
        if depth > DEEPEST || seen > MOST_ATTRIBUTES {
            return Err(too_deep());
        }
        match (key, value) {
            (Value::Text(key), Value::Tensor(view)) => tensors.push((joined(prefix, key)?, Rc::clone(view))),
            (Value::Text(key), Value::Object(module)) => {
                let prefix = joined(prefix, key)? + ".";
                way.push((prefix, heap.attributes(*module).iter()));
            }
            _ => {}
        }
    }
}

/// What `root` is instead of a state dict, in words.
fn description(root: &Value, heap: &Heap) -> String {
    /// As many keys as help to see what it is.
    const SHOWN: usize = 8;
    match root {
        Value::Dict(dict) => {
            let keys = heap.dict(*dict).iter().filter_map(|(key, _)| match key {
                Value::Text(key) => Some(format!("`{}`", key.chars().take(40).collect::<String>())),
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
