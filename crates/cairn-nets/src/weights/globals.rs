//! The classes and functions that a pickle may name. Those that state dicts and TorchScript's modules are made of each
//! have a rule for the value of their call. All others give empty placeholders. None is ever run.

use std::rc::Rc;

use super::error::Fault;
use super::tensor::{Dtype, Storage, StridedView};
use super::value::{Heap, Value};

/// The most axes that a tensor has in PyTorch.
const MOST_AXES: usize = 64;

/// Whether calls of this class or function are read; calls of others give placeholders.
pub(super) fn is_read(path: &str) -> bool {
    match path {
        "collections.OrderedDict" | "torch.Size" => true,
        "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" => true,
        "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state" => true,
        _ => tag(path).is_some() || is_script_class(path) || Elements::of(path).is_some(),
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

/// What a class of storages, such as `torch.FloatStorage`, holds.
struct Elements {
    /// Bytes of one element.
    size: usize,
    /// The type, where it is read.
    dtype: Option<Dtype>,
}

impl Elements {
    fn of(path: &str) -> Option<Self> {
        let class = path.strip_prefix("torch.")?.strip_suffix("Storage")?;
        let read = |dtype: Dtype| Self { size: dtype.size(), dtype: Some(dtype) };
        let unread = |size| Self { size, dtype: None };
        Some(match class {
            "Float" => read(Dtype::F32),
            "Half" => read(Dtype::F16),
            "BFloat16" => read(Dtype::Bf16),
            "Double" => read(Dtype::F64),
            "Long" => read(Dtype::I64),
            "Byte" => read(Dtype::U8),
            "Bool" => read(Dtype::Bool),
            "Untyped" | "Char" | "QInt8" | "QUInt8" | "QUInt4x2" | "QUInt2x4" => unread(1),
            "Short" => unread(2),
            "Int" | "QInt32" => unread(4),
            "ComplexFloat" => unread(8),
            "ComplexDouble" => unread(16),
            _ => return None,
        })
    }
}

/// The value of a call of `function` with `arguments`, and its size in bytes.
pub(super) fn call(function: &Value, arguments: &Value, heap: &mut Heap) -> Result<Made, Fault> {
    let path = match function {
        Value::Global(path) if is_read(path) => path,
        Value::Global(path) | Value::Placeholder(path) => return Ok(Made::placeholder(path)),
        _ => return Err(Fault::Damaged("it calls something else than a function")),
    };
    let Value::Sequence(arguments) = arguments else {
        return Err(Fault::Damaged("it calls a function with something else than a list"));
    };
    let arguments = heap.sequence(*arguments);
    let first = || arguments.first().cloned().ok_or(Fault::Damaged("a call without its argument"));
    match path.as_ref() {
        "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" => rebuild_tensor(arguments, heap),
        "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state" | "torch.Size" => {
            first().map(Made::small)
        }
        path if tag(path).is_some() => first().map(Made::small),
        "collections.OrderedDict" => ordered_dict(first().ok().as_ref(), heap),
        path if is_script_class(path) => Ok(Made::small(heap.new_object())),
        _ => Err(Fault::Damaged("it calls a type of storage")),
    }
}

/// The value of a call.
pub(super) struct Made {
    pub(super) value: Value,
    /// What it takes beside the value itself, in bytes.
    pub(super) bytes: usize,
}

impl Made {
    fn small(value: Value) -> Self {
        Self { value, bytes: 64 }
    }

    fn placeholder(path: &Rc<str>) -> Self {
        Self::small(Value::Placeholder(Rc::clone(path)))
    }
}

/// Gives `object` its `state`: the attributes of a TorchScript module. An OrderedDict's (the versions of its modules)
/// and a placeholder's hold no weights.
pub(super) fn build(object: &Value, state: &Value, heap: &mut Heap) -> Result<(), Fault> {
    match (object, state) {
        (Value::Object(object), Value::Dict(attributes)) => heap.set_attributes(*object, *attributes),
        // A class of TorchScript with a __setstate__ of its own: what it would do with the state is in its code.
        (Value::Object(_), _) | (Value::Dict(_), _) | (Value::Placeholder(_), _) => {}
        _ => return Err(Fault::Damaged("it sets attributes of something that has none")),
    }
    Ok(())
}

/// An empty OrderedDict, or one of a list of `[key, value]` lists, as Python 2 wrote it.
fn ordered_dict(pairs: Option<&Value>, heap: &mut Heap) -> Result<Made, Fault> {
    let damaged = || Fault::Damaged("an OrderedDict that is not made of pairs");
    // Taken, not copied: nothing else refers to this list, and a hostile pickle could have it copied a million times.
    let pairs = match pairs {
        None => Vec::new(),
        Some(Value::Sequence(pairs)) => std::mem::take(heap.sequence_mut(*pairs)),
        Some(_) => return Err(damaged()),
    };
    let (dict, id) = heap.new_dict();
    let bytes = 64 + pairs.len() * 2 * size_of::<(Value, Value)>();
    for pair in pairs {
        let Value::Sequence(pair) = pair else { return Err(damaged()) };
        let [key, value] = heap.sequence(pair) else { return Err(damaged()) };
        let item = (key.clone(), value.clone());
        heap.dict_mut(id).push(item);
    }
    Ok(Made { value: dict, bytes })
}

/// `(storage, offset, shape, strides, ...)`.
fn rebuild_tensor(arguments: &[Value], heap: &Heap) -> Result<Made, Fault> {
    let [Value::Storage(storage), Value::Int(offset), shape, strides, ..] = arguments else {
        return Err(Fault::Damaged("a tensor without storage, offset, shape and strides"));
    };
    let (shape, strides) = (lengths(shape, heap)?, lengths(strides, heap)?);
    let offset = length(&Value::Int(*offset))?;
    if shape.len() != strides.len() {
        return Err(Fault::Damaged("a tensor whose shape and strides do not fit"));
    }
    let Some(dtype) = storage.dtype else { return Ok(Made::placeholder(&storage.class)) };
    let bytes = 2 * size_of::<StridedView>() + (shape.len() + strides.len()) * size_of::<usize>();
    let view = StridedView { storage: Rc::clone(storage), dtype, offset, shape, strides };
    Ok(Made { value: Value::Tensor(Rc::new(view)), bytes })
}

/// What a persistent id names. A storage is `("storage", class, key, device, elements)`, followed in files of PyTorch
/// 0.4 and before by None, or by the part of it that is meant. A class of a pickled module is
/// `("module", class, file, source code)` in legacy files; only the class is kept.
pub(super) fn persistent(id: &Value, heap: &mut Heap) -> Result<Made, Fault> {
    let damaged = || Fault::Damaged("a reference to something else than a storage");
    let Value::Sequence(id) = id else { return Err(damaged()) };
    let (class, key, len, part) = match heap.sequence(*id) {
        [Value::Text(kind), Value::Global(class), Value::Text(key), _, len, part @ ..]
            if **kind == *"storage" =>
        {
            (class, key, len, part)
        }
        [Value::Text(kind), class @ Value::Global(_), ..] if **kind == *"module" => {
            return Ok(Made::small(class.clone()));
        }
        _ => return Err(damaged()),
    };
    if !matches!(part, [] | [Value::Other]) {
        return Err(Fault::Damaged("a view of a storage, as no PyTorch since 0.4 writes them"));
    }
    let Elements { size, dtype } = Elements::of(class).ok_or_else(damaged)?;
    let (class, key) = (Rc::clone(class), Rc::clone(key));
    let storage = Storage { key, class, dtype, size, len: length(len)? };
    Ok(Made { value: heap.new_storage(storage), bytes: 2 * size_of::<Storage>() })
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
