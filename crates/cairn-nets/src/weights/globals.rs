//! The classes and functions that a pickle may name: those that state dicts and TorchScript's modules are made of.
//! None is run; each is a rule for what its call stands for.

use std::rc::Rc;

use super::error::PthProblem;
use super::pickle::Fault;
use super::tensor::{Dtype, Storage, StridedView};
use super::value::{Heap, Value};

/// The most axes that a tensor has in PyTorch.
const MOST_AXES: usize = 64;

/// Lets a class or function pass that is known here.
///
/// # Errors
/// The name of any other.
pub(super) fn check(path: &str) -> Result<(), Fault> {
    let known = match path {
        "collections.OrderedDict" | "torch.Size" => true,
        "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" => true,
        "torch._utils._rebuild_parameter" => true,
        _ => tag(path).is_some() || is_script_class(path) || storage_class(path).is_some(),
    };
    match path.strip_prefix("torch.") {
        _ if known => Ok(()),
        Some(class) if class.ends_with("Storage") => {
            Err(Fault::Refused(PthProblem::Storage(class.to_owned())))
        }
        _ => Err(Fault::Refused(PthProblem::Global(path.to_owned()))),
    }
}

/// What TorchScript wraps lists and dicts in to tell their types: `restore_type_tag`, `build_intlist` and their like.
fn tag(path: &str) -> Option<&str> {
    let name = path.strip_prefix("torch.jit._pickle.")?;
    ["restore_type_tag", "build_intlist", "build_doublelist", "build_boollist", "build_tensorlist"]
        .into_iter()
        .find(|known| *known == name)
}

/// Classes that a TorchScript archive defines in its own code.
fn is_script_class(path: &str) -> bool {
    path.starts_with("__torch__.")
}

/// The element type of `torch.FloatStorage` and its like.
fn storage_class(path: &str) -> Option<Dtype> {
    path.strip_prefix("torch.").and_then(Dtype::of_storage)
}

/// What calling `global` with `arguments` stands for.
pub(super) fn call(global: &Value, arguments: &Value, heap: &mut Heap) -> Result<Value, Fault> {
    let (Value::Global(path), Value::Sequence(arguments)) = (global, arguments) else {
        return Err(Fault::Damaged("it calls something else than a function"));
    };
    let arguments = heap.sequence(*arguments);
    let first = || arguments.first().cloned().ok_or(Fault::Damaged("a call without its argument"));
    match path.as_ref() {
        "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" => rebuild_tensor(arguments, heap),
        "torch._utils._rebuild_parameter" | "torch.Size" => first(),
        path if tag(path).is_some() => first(),
        "collections.OrderedDict" => ordered_dict(first().ok().as_ref(), heap),
        path if is_script_class(path) => Ok(heap.new_object()),
        _ => Err(Fault::Damaged("it calls a type of storage")),
    }
}

/// Gives `object` its `state`: the attributes of a TorchScript module. An OrderedDict's (the versions of its modules)
/// hold no weights.
pub(super) fn build(object: &Value, state: &Value, heap: &mut Heap) -> Result<(), Fault> {
    match (object, state) {
        (Value::Object(object), Value::Dict(attributes)) => heap.set_attributes(*object, *attributes),
        // A class of TorchScript with a __setstate__ of its own: what it would do with the state is in its code.
        (Value::Object(_), _) | (Value::Dict(_), _) => {}
        _ => return Err(Fault::Damaged("it sets attributes of something that has none")),
    }
    Ok(())
}

/// An empty OrderedDict, or one of a list of `[key, value]` lists, as Python 2 wrote it.
fn ordered_dict(pairs: Option<&Value>, heap: &mut Heap) -> Result<Value, Fault> {
    let damaged = || Fault::Damaged("an OrderedDict that is not made of pairs");
    // Taken, not copied: nobody else refers to this list, and a pickle that had it copied a million times would.
    let pairs = match pairs {
        None => Vec::new(),
        Some(Value::Sequence(pairs)) => std::mem::take(heap.sequence_mut(*pairs)),
        Some(_) => return Err(damaged()),
    };
    let (dict, id) = heap.new_dict();
    for pair in pairs {
        let Value::Sequence(pair) = pair else { return Err(damaged()) };
        let [key, value] = heap.sequence(pair) else { return Err(damaged()) };
        let item = (key.clone(), value.clone());
        heap.dict_mut(id).push(item);
    }
    Ok(dict)
}

/// `(storage, offset, shape, strides, ...)`.
fn rebuild_tensor(arguments: &[Value], heap: &Heap) -> Result<Value, Fault> {
    let [Value::Storage(storage), Value::Int(offset), shape, strides, ..] = arguments else {
        return Err(Fault::Damaged("a tensor without storage, offset, shape and strides"));
    };
    let (shape, strides) = (lengths(shape, heap)?, lengths(strides, heap)?);
    let offset = length(&Value::Int(*offset))?;
    if shape.len() != strides.len() {
        return Err(Fault::Damaged("a tensor whose shape and strides do not fit"));
    }
    Ok(Value::Tensor(Rc::new(StridedView { storage: Rc::clone(storage), offset, shape, strides })))
}

/// The storage that a persistent id names: `("storage", class, key, device, elements)`, followed in files of PyTorch
/// 0.4 and before by None, or by the part of it that is meant.
pub(super) fn storage(id: &Value, heap: &mut Heap) -> Result<Value, Fault> {
    let damaged = || Fault::Damaged("a reference to something else than a storage");
    let Value::Sequence(id) = id else { return Err(damaged()) };
    let [Value::Text(kind), Value::Global(class), Value::Text(key), _, len, part @ ..] = heap.sequence(*id)
    else {
        return Err(damaged());
    };
    if kind.as_ref() != "storage" {
        return Err(damaged());
    }
    if !matches!(part, [] | [Value::Other]) {
        return Err(Fault::Damaged("a view of a storage, as no PyTorch since 0.4 writes them"));
    }
    let dtype = storage_class(class).ok_or_else(damaged)?;
    let storage = Storage { key: Rc::clone(key), dtype, len: length(len)? };
    Ok(heap.new_storage(storage))
}

fn lengths(sequence: &Value, heap: &Heap) -> Result<Vec<usize>, Fault> {
    let Value::Sequence(sequence) = sequence else {
        return Err(Fault::Damaged("a shape that is no list of numbers"));
    };
    let lengths = heap.sequence(*sequence);
    if lengths.len() > MOST_AXES {
        return Err(Fault::Damaged("a tensor of more axes than there can be"));
    }
    lengths.iter().map(length).collect()
}

fn length(value: &Value) -> Result<usize, Fault> {
    match value {
        Value::Int(length) => usize::try_from(*length).map_err(|_| Fault::Damaged("a negative length")),
        _ => Err(Fault::Damaged("a length that is no number")),
    }
}
