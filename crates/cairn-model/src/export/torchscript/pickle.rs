//! The pickle of the modules, protocol 2.

use super::modules::{Module, NAMESPACE, Tensor};

/// The pickle `data.pkl`: the module with all its attributes, `class_names` among them. Tensors refer to the files
/// under `data/` by number, in the order of [`Module::each_tensor`].
pub(super) fn module_pickle(root: &Module, class_names: &[&str]) -> Vec<u8> {
    let mut pickler = Pickler { bytes: b"\x80\x02".to_vec(), tensors: 0 };
    pickler.module(root, Some(class_names));
    pickler.bytes.push(b'.');
    pickler.bytes
}

struct Pickler {
    bytes: Vec<u8>,
    /// How many tensors have been written.
    tensors: usize,
}

impl Pickler {
    /// A module; the outermost has class names.
    fn module(&mut self, module: &Module, class_names: Option<&[&str]>) {
        self.global(NAMESPACE, &module.class);
        self.bytes.extend(b")\x81}("); // no arguments, new object, dict, mark
        self.text("training");
        self.bytes.push(0x89); // false
        self.text("_is_full_backward_hook");
        self.bytes.push(b'N'); // None
        if let Some(class_names) = class_names {
            self.text("class_names");
            self.text_list(class_names);
        }
        for tensor in &module.tensors {
            self.text(&tensor.name);
            self.tensor(tensor);
        }
        for (name, child) in &module.children {
            self.text(name);
            self.module(child, None);
        }
        self.bytes.extend(b"ub"); // set items, set attributes
    }

    /// `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)`.
    fn tensor(&mut self, tensor: &Tensor) {
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.bytes.extend(b"((");
        self.text("storage");
        self.global("torch", tensor.kind.storage());
        self.text(&self.tensors.to_string());
        self.tensors += 1;
        self.text("cpu");
        self.int(tensor.shape.iter().product());
        self.bytes.extend(b"tQ"); // tuple, persistent id
        self.int(0);
        self.ints(&tensor.shape);
        self.ints(&row_major_strides(&tensor.shape));
        self.bytes.push(0x89); // false
        self.global("collections", "OrderedDict");
        self.bytes.extend(b")RtR"); // called without arguments; tuple; called
    }

    fn global(&mut self, module: &str, name: &str) {
        self.bytes.extend(format!("c{module}\n{name}\n").bytes());
    }

    fn text(&mut self, text: &str) {
        self.bytes.push(b'X');
        // A name of 4 GiB is none.
        self.bytes.extend((text.len() as u32).to_le_bytes());
        self.bytes.extend(text.bytes());
    }

    /// A list that TorchScript knows to be of texts, though it may be empty.
    fn text_list(&mut self, texts: &[&str]) {
        self.global("torch.jit._pickle", "restore_type_tag");
        self.bytes.extend(b"](");
        texts.iter().for_each(|text| self.text(text));
        self.bytes.push(b'e');
        self.text("List[str]");
        self.bytes.extend(b"\x86R"); // tuple of two, called
    }

    fn int(&mut self, value: usize) {
        self.bytes.extend([0x8a, 8]);
        self.bytes.extend((value as i64).to_le_bytes());
    }

    fn ints(&mut self, values: &[usize]) {
        self.bytes.push(b'(');
        values.iter().for_each(|&value| self.int(value));
        self.bytes.push(b't');
    }
}

fn row_major_strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect()
}
