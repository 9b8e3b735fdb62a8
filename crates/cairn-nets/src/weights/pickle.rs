//! The pickle machine: a stack, a memo and the instructions of protocols 0 to 5 that data is written with
//! (Python's `pickletools` describes each).

use std::collections::HashMap;
use std::rc::Rc;

use super::budget::Budget;
use super::error::{Fault, PthProblem};
use super::globals;
use super::names::{LONGEST_NAME, is_visible};
use super::value::{Heap, Value};

/// The longest pickle that is read, in bytes. That of a network of a thousand tensors takes some hundred thousand.
pub(super) const LONGEST_PICKLE: usize = 16 << 20;

/// What an instruction takes at most beside texts, in bytes: a value on the stack, the stack grown to twice its length.
const INSTRUCTION: usize = 2 * size_of::<Value>();

/// What a list or a dict takes beside its items, in bytes.
const COMPOUND: usize = 2 * size_of::<Vec<Value>>();

/// What an entry of the memo takes, in bytes: a hash table is half empty at worst.
const MEMO_ENTRY: usize = 2 * size_of::<(usize, Value)>() + 2;

/// What a pickle says, and where the next one begins.
pub(super) struct Unpickled {
    /// The value of the whole pickle.
    pub(super) root: Value,
    /// What `root` is made of.
    pub(super) heap: Heap,
    /// How many bytes were read.
    pub(super) len: usize,
}

/// Reads the pickle at the start of `bytes`, within the `budget` of its file.
///
/// Time is proportional to its length: every instruction takes at least a byte and makes at most one value.
///
/// # Errors
/// [`PthProblem::TooLarge`] beyond [`LONGEST_PICKLE`] or the budget, [`PthProblem::Pickle`] when it is damaged.
pub(super) fn unpickle(bytes: &[u8], budget: &mut Budget) -> Result<Unpickled, PthProblem> {
    let (stack, marks, memo, heap) = Default::default();
    let mut machine = Machine { bytes, position: 0, stack, marks, memo, heap, budget };
    loop {
        let position = machine.position;
        if position > LONGEST_PICKLE {
            return Err(PthProblem::TooLarge { limit: LONGEST_PICKLE as u64 });
        }
        let step = machine.step().map_err(|fault| match fault {
            Fault::Damaged(what) => PthProblem::Pickle { position, what },
            Fault::Refused(problem) => problem,
        })?;
        if let Step::Stop(root) = step {
            return Ok(Unpickled { root, heap: machine.heap, len: machine.position });
        }
    }
}

enum Step {
    Next,
    Stop(Value),
}

struct Machine<'a> {
    bytes: &'a [u8],
    position: usize,
    stack: Vec<Value>,
    /// Lengths of the stack at the marks that are open.
    marks: Vec<usize>,
    memo: HashMap<usize, Value>,
    heap: Heap,
    budget: &'a mut Budget,
}

impl Machine<'_> {
    /// Follows the next instruction. Each arm is one, or some that differ in the lengths of what follows them.
    fn step(&mut self) -> Result<Step, Fault> {
        self.budget.spend(INSTRUCTION)?;
        match self.byte()? {
            b'.' => return Ok(Step::Stop(self.pop()?)),
            0x80 => drop(self.take(1)?), // the protocol
            0x95 => drop(self.take(8)?), // the length of a frame
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => self.stack.push(self.top()?),

            b'N' => self.stack.push(Value::Other),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'I' | b'L' => self.decimal()?,
            b'J' => self.signed(4)?,
            b'K' => self.unsigned::<1>()?,
            b'M' => self.unsigned::<2>()?,
            0x8a => self.long::<1>()?,
            0x8b => self.long::<4>()?,
            b'F' => self.decimal_float()?,
            b'G' => self.passed_over(8)?,
            b'U' | 0x8c => self.text::<1>()?,
            b'T' | b'X' => self.text::<4>()?,
            0x8d => self.text::<8>()?,
            b'C' => self.binary::<1>()?,
            b'B' => self.binary::<4>()?,
            0x8e | 0x96 => self.binary::<8>()?,

            b']' | b')' | 0x8f => self.push_sequence(Vec::new())?,
            b'l' | b't' | 0x91 => self.sequence_from_mark()?,
            n @ 0x85..=0x87 => self.tuple_of(usize::from(n - 0x84))?,
            b'a' => self.append_one()?,
            b'e' | 0x90 => self.append_from_mark()?,
            b'}' => self.push_dict()?,
            b'd' => self.dict_from_mark()?,
            b's' => self.set_item()?,
            b'u' => self.set_items_from_mark()?,

            b'q' => self.memorise::<1>()?,
            b'r' => self.memorise::<4>()?,
            0x94 => self.memorise_at(self.memo.len())?,
            b'h' => self.recall::<1>()?,
            b'j' => self.recall::<4>()?,
            b'p' | b'g' => return Err(Fault::Damaged("a textual memo, which PyTorch does not write")),

            b'c' => self.global()?,
            0x93 => self.stack_global()?,
            b'R' | 0x81 => self.call()?,
            0x92 => self.call_with_names()?,
            b'b' => self.build()?,
            b'Q' => self.persistent_id()?,
            _ => return Err(Fault::Damaged("an instruction that is not known")),
        }
        Ok(Step::Next)
    }

    // Reading.

    fn take(&mut self, len: usize) -> Result<&[u8], Fault> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let taken = rest.get(..len).ok_or(Fault::Damaged("it ends in the middle"))?;
        self.position += len;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.take(1)?[0])
    }

    /// An unsigned little-endian number of `N` bytes, at most 8.
    fn number<const N: usize>(&mut self) -> Result<usize, Fault> {
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(self.take(N)?);
        usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| Fault::Damaged("a length beyond any memory"))
    }

    /// The text up to the next line break.
    fn line(&mut self) -> Result<String, Fault> {
        let rest = &self.bytes[self.position..];
        let len = rest.iter().position(|&b| b == b'\n').ok_or(Fault::Damaged("it ends in the middle"))?;
        let line = String::from_utf8_lossy(&rest[..len]).into_owned();
        self.position += len + 1;
        Ok(line)
    }

    // Plain values.

    fn decimal(&mut self) -> Result<(), Fault> {
        let line = self.line()?;
        let number = line.trim_end_matches('L').parse();
        self.stack.push(number.map_or(Value::Other, Value::Int));
        Ok(())
    }

    fn unsigned<const N: usize>(&mut self) -> Result<(), Fault> {
        let number = self.number::<N>()?;
        // At most two bytes.
        self.stack.push(Value::Int(number as i64));
        Ok(())
    }

    fn signed(&mut self, len: usize) -> Result<(), Fault> {
        let value = sign_extended(self.take(len)?);
        self.stack.push(value);
        Ok(())
    }

    /// A signed integer of as many bytes as a number of `N` bytes says.
    fn long<const N: usize>(&mut self) -> Result<(), Fault> {
        let len = self.number::<N>()?;
        self.signed(len)
    }

    fn decimal_float(&mut self) -> Result<(), Fault> {
        self.line()?;
        self.stack.push(Value::Other);
        Ok(())
    }

    /// A value of `len` bytes that no weight is made of.
    fn passed_over(&mut self, len: usize) -> Result<(), Fault> {
        self.take(len)?;
        self.stack.push(Value::Other);
        Ok(())
    }

    fn text<const N: usize>(&mut self) -> Result<(), Fault> {
        let len = self.number::<N>()?;
        let text: Rc<str> = String::from_utf8_lossy(self.take(len)?).into();
        self.budget.spend(text.len() + 2 * size_of::<usize>())?;
        self.stack.push(Value::Text(text));
        Ok(())
    }

    fn binary<const N: usize>(&mut self) -> Result<(), Fault> {
        let len = self.number::<N>()?;
        self.passed_over(len)
    }

    // The stack.

    fn top(&self) -> Result<Value, Fault> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        self.stack[bottom..].last().cloned().ok_or(Fault::Damaged("it takes a value where there is none"))
    }

    fn pop(&mut self) -> Result<Value, Fault> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// The last `n` values, the deepest first.
    fn pop_many(&mut self, n: usize) -> Result<Vec<Value>, Fault> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() - bottom < n {
            return Err(Fault::Damaged("it takes a value where there is none"));
        }
        Ok(self.stack.split_off(self.stack.len() - n))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, Fault> {
        let mark = self.marks.pop().ok_or(Fault::Damaged("it takes a mark where there is none"))?;
        Ok(self.stack.split_off(mark))
    }

    // Compound values.

    fn push_sequence(&mut self, items: Vec<Value>) -> Result<(), Fault> {
        self.budget.spend(COMPOUND)?;
        let sequence = self.heap.new_sequence(items);
        self.stack.push(sequence);
        Ok(())
    }

    fn sequence_from_mark(&mut self) -> Result<(), Fault> {
        let items = self.pop_to_mark()?;
        self.push_sequence(items)
    }

    fn tuple_of(&mut self, n: usize) -> Result<(), Fault> {
        let items = self.pop_many(n)?;
        self.push_sequence(items)
    }

    fn append_one(&mut self) -> Result<(), Fault> {
        let item = self.pop_many(1)?;
        self.append(item)
    }

    fn append_from_mark(&mut self) -> Result<(), Fault> {
        let items = self.pop_to_mark()?;
        self.append(items)
    }

    fn append(&mut self, items: Vec<Value>) -> Result<(), Fault> {
        match self.top()? {
            Value::Sequence(list) => self.heap.sequence_mut(list).extend(items),
            Value::Placeholder(_) => {}
            _ => return Err(Fault::Damaged("it appends to something else than a list")),
        }
        Ok(())
    }

    fn push_dict(&mut self) -> Result<(), Fault> {
        self.budget.spend(COMPOUND)?;
        let (dict, _) = self.heap.new_dict();
        self.stack.push(dict);
        Ok(())
    }

    fn dict_from_mark(&mut self) -> Result<(), Fault> {
        let items = self.pop_to_mark()?;
        self.push_dict()?;
        self.set_items(items)
    }

    fn set_item(&mut self) -> Result<(), Fault> {
        let item = self.pop_many(2)?;
        self.set_items(item)
    }

    fn set_items_from_mark(&mut self) -> Result<(), Fault> {
        let items = self.pop_to_mark()?;
        self.set_items(items)
    }

    /// Sets keys and values, which follow each other in `items`.
    fn set_items(&mut self, items: Vec<Value>) -> Result<(), Fault> {
        let dict = match self.top()? {
            Value::Dict(dict) => dict,
            Value::Placeholder(_) => return Ok(()),
            _ => return Err(Fault::Damaged("it sets items of something else than a dict")),
        };
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(Fault::Damaged("a key without a value"));
        }
        self.heap.dict_mut(dict).extend(pairs.iter().cloned().map(|[key, value]| (key, value)));
        Ok(())
    }

    // Memo and globals.

    fn memorise<const N: usize>(&mut self) -> Result<(), Fault> {
        let key = self.number::<N>()?;
        self.memorise_at(key)
    }

    fn memorise_at(&mut self, key: usize) -> Result<(), Fault> {
        self.budget.spend(MEMO_ENTRY)?;
        self.memo.insert(key, self.top()?);
        Ok(())
    }

    fn recall<const N: usize>(&mut self) -> Result<(), Fault> {
        let key = self.number::<N>()?;
        let value = self.memo.get(&key).ok_or(Fault::Damaged("it recalls what it never memorised"))?;
        self.stack.push(value.clone());
        Ok(())
    }

    fn global(&mut self) -> Result<(), Fault> {
        let (module, name) = (self.line()?, self.line()?);
        self.push_global(&module, &name)
    }

    fn stack_global(&mut self) -> Result<(), Fault> {
        let names = self.pop_many(2)?;
        let [Value::Text(module), Value::Text(name)] = names.as_slice() else {
            return Err(Fault::Damaged("a class whose name is no text"));
        };
        self.push_global(module, name)
    }

    fn push_global(&mut self, module: &str, name: &str) -> Result<(), Fault> {
        // A pickle can write a long name once and use it a million times.
        if module.len() + name.len() > LONGEST_NAME || !module.chars().chain(name.chars()).all(is_visible) {
            return Err(Fault::Damaged("a class whose name is longer than any, or has control characters"));
        }
        let path: Rc<str> = format!("{module}.{name}").into();
        self.budget.spend(path.len() + 2 * size_of::<usize>())?;
        if !globals::is_read(&path) {
            self.heap.leave_unread(&path);
        }
        self.stack.push(Value::Global(path));
        Ok(())
    }

    fn call(&mut self) -> Result<(), Fault> {
        let arguments = self.pop()?;
        let function = self.pop()?;
        let made = globals::call(&function, &arguments, &mut self.heap)?;
        self.push_made(made)
    }

    /// A call with arguments by name, which nothing that is read has.
    fn call_with_names(&mut self) -> Result<(), Fault> {
        self.pop()?;
        self.call()
    }

    fn push_made(&mut self, made: globals::Made) -> Result<(), Fault> {
        self.budget.spend(made.bytes)?;
        self.stack.push(made.value);
        Ok(())
    }

    fn build(&mut self) -> Result<(), Fault> {
        let state = self.pop()?;
        globals::build(&self.top()?, &state, &mut self.heap)
    }

    fn persistent_id(&mut self) -> Result<(), Fault> {
        let id = self.pop()?;
        let made = globals::persistent(&id, &mut self.heap)?;
        self.push_made(made)
    }
}

/// A little-endian integer of as many bytes as there are; nothing where 64 bits do not hold it.
fn sign_extended(bytes: &[u8]) -> Value {
    let negative = bytes.last().is_some_and(|&last| last >= 0x80);
    let mut wide = [if negative { 0xff } else { 0 }; 8];
    match wide.get_mut(..bytes.len()) {
        Some(low) => {
            low.copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(wide))
        }
        None => Value::Other,
    }
}
