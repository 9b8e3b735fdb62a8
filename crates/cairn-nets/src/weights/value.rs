//! What a pickle builds: values, and the heap that holds the compound ones.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::tensor::{Storage, StridedView};

/// How many unread classes are remembered by name.
const MOST_UNREAD: usize = 32;

/// A value of a pickle. Compound values are kept in a [`Heap`]: pickles change them after they have been referred to,
/// may let them hold themselves, and may nest them deeper than any stack, which a heap drops without recursion.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// What no weight is made of: None, floats, bytes, integers of more than 64 bits.
    Other,
    Bool(bool),
    Int(i64),
    Text(Rc<str>),
    /// A list or a tuple.
    Sequence(SequenceId),
    /// A dict or an OrderedDict.
    Dict(DictId),
    /// A class or function, by module and name.
    Global(Rc<str>),
    /// What a class or function of this name would have made, had it been run: it holds nothing.
    Placeholder(Rc<str>),
    /// An instance of a class of TorchScript.
    Object(ObjectId),
    Storage(Rc<Storage>),
    Tensor(Rc<StridedView>),
}

/// A list or tuple in a [`Heap`].
#[derive(Debug, Clone, Copy)]
pub(super) struct SequenceId(usize);

/// A dict in a [`Heap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct DictId(usize);

/// An instance of a class of TorchScript in a [`Heap`].
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectId(usize);

/// The compound values of a pickle.
#[derive(Debug, Default)]
pub(super) struct Heap {
    sequences: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
    /// The attributes of each object, once they are set.
    objects: Vec<Option<DictId>>,
    storages: Vec<Rc<Storage>>,
    unread: BTreeSet<Rc<str>>,
}

impl Heap {
    pub(super) fn new_sequence(&mut self, items: Vec<Value>) -> Value {
        self.sequences.push(items);
        Value::Sequence(SequenceId(self.sequences.len() - 1))
    }

    /// An empty dict, as a value and by its place.
    pub(super) fn new_dict(&mut self) -> (Value, DictId) {
        self.dicts.push(Vec::new());
        let id = DictId(self.dicts.len() - 1);
        (Value::Dict(id), id)
    }

    pub(super) fn new_object(&mut self) -> Value {
        self.objects.push(None);
        Value::Object(ObjectId(self.objects.len() - 1))
    }

    pub(super) fn new_storage(&mut self, storage: Storage) -> Value {
        let storage = Rc::new(storage);
        self.storages.push(Rc::clone(&storage));
        Value::Storage(storage)
    }

    /// Every storage that the pickle refers to, as often as it does.
    pub(super) fn storages(&self) -> &[Rc<Storage>] {
        &self.storages
    }

    /// Remembers that a class or function is not read.
    pub(super) fn leave_unread(&mut self, path: &Rc<str>) {
        if self.unread.len() < MOST_UNREAD {
            self.unread.insert(Rc::clone(path));
        }
    }

    /// The classes and functions that placeholders stand for, or the first of them in name order.
    pub(super) fn unread(&self) -> Vec<String> {
        self.unread.iter().map(ToString::to_string).collect()
    }

    pub(super) fn sequence(&self, id: SequenceId) -> &[Value] {
        &self.sequences[id.0]
    }

    pub(super) fn sequence_mut(&mut self, id: SequenceId) -> &mut Vec<Value> {
        &mut self.sequences[id.0]
    }

    /// Keys and values, in the order in which they were set.
    pub(super) fn dict(&self, id: DictId) -> &[(Value, Value)] {
        &self.dicts[id.0]
    }

    pub(super) fn dict_mut(&mut self, id: DictId) -> &mut Vec<(Value, Value)> {
        &mut self.dicts[id.0]
    }

    /// Names and values of an object's attributes; none before they are set.
    pub(super) fn attributes(&self, id: ObjectId) -> &[(Value, Value)] {
        self.objects[id.0].map_or(&[], |dict| self.dict(dict))
    }

    pub(super) fn set_attributes(&mut self, id: ObjectId, attributes: DictId) {
        self.objects[id.0] = Some(attributes);
    }
}
