"""Writes one network's weights in the forms in which people keep them, for main.rs.

    python3 checkpoints.py WEIGHTS.safetensors FOLDER

Each FOLDER/NAME.ckpt or NAME.safetensors has a NAME.json beside it: `{"key": ..., "prefix": ..., "ignored": [...],
"head": ..., "classes": [...], "exact": ...}`, what is said about it, or `{"refused": [...]}`, words of the refusal.
Tried with torch 2.11.0 and numpy 2.
"""
import argparse
import collections
import json
import pathlib
import struct
import sys

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
FOLDER = pathlib.Path(sys.argv[2])


def read_safetensors(path):
    raw = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8 : 8 + length]), raw[8 + length :]
    tensors = {}
    for name, info in header.items():
        if name != "__metadata__":
            start, end = info["data_offsets"]
            values = np.frombuffer(data[start:end], np.float32).reshape(info["shape"]).copy()
            tensors[name] = torch.from_numpy(values)
    return tensors


def write_safetensors(name, tensors, **said):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    kinds = {torch.float32: "F32", torch.bfloat16: "BF16", torch.int64: "I64"}
    for key, tensor in tensors.items():
        raw = bytes(tensor.contiguous().flatten().view(torch.uint8).tolist())
        header[key] = {"dtype": kinds[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    (FOLDER / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    expect(name, **said)


def expect(name, key=None, prefix="", ignored=(), head=None, classes=(), exact=True):
    said = {"key": key, "prefix": prefix, "ignored": sorted(ignored), "head": head, "classes": sorted(classes), "exact": exact}
    (FOLDER / f"{name}.json").write_text(json.dumps(said))


def save(name, content, options={}, **said):
    torch.save(content, FOLDER / f"{name}.ckpt", **options)
    expect(name, **said)


def refuse(name, content, *words):
    torch.save(content, FOLDER / f"{name}.ckpt")
    (FOLDER / f"{name}.json").write_text(json.dumps({"refused": words}))


class Tree(nn.Module):
    """Modules by the names of a state dict."""

    def __init__(self, state):
        super().__init__()
        children = collections.defaultdict(dict)
        for name, tensor in state.items():
            module, _, rest = name.partition(".")
            if rest:
                children[module][rest] = tensor
            elif name.startswith("running_"):
                self.register_buffer(name, tensor.clone())
            else:
                self.register_parameter(name, nn.Parameter(tensor.clone()))
        for module, tensors in children.items():
            self.add_module(module, Tree(tensors))

    def forward(self, x):
        return x


class Lightning(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model


weights = read_safetensors(sys.argv[1])
# Batch norm's counters are in every file of PyTorch.
state = {}
for name, tensor in weights.items():
    state[name] = tensor
    if name.endswith("running_var"):
        state[name.replace("running_var", "num_batches_tracked")] = torch.tensor(5)
other = {name: tensor + 1 for name, tensor in state.items()}
network = Tree(weights)
optimiser = torch.optim.AdamW(network.parameters(), lr=0.1)
sum(parameter.sum() for parameter in network.parameters()).backward()
before = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
optimiser.step()
optimiser.zero_grad()
network.load_state_dict(before)
schedule = torch.optim.lr_scheduler.StepLR(optimiser, 1).state_dict()


def under(prefix, tensors=state):
    return {prefix + name: tensor for name, tensor in tensors.items()}


# The state dict itself, as torch.save writes it or has written it.
save("plain", state)
save("ordered", collections.OrderedDict(state))
save("module_state", network.state_dict())
save("without_counters", weights)
save("parameters", {n: nn.Parameter(t) if t.is_floating_point() else t for n, t in state.items()})
save("legacy", state, options={"_use_new_zipfile_serialization": False})
for protocol in (3, 4, 5):
    save(f"protocol_{protocol}", state, options={"pickle_protocol": protocol})

# Prefixes of wrappers.
for name, prefix in [
    ("parallel", "module."),
    ("compiled", "_orig_mod."),
    ("compiled_parallel", "_orig_mod.module."),
    ("parallel_compiled", "module._orig_mod."),
    ("backbone", "backbone."),
    ("deep", "learner.student.net.0."),
]:
    save(name, under(prefix), prefix=prefix)
save("lightning_module", Lightning(network).state_dict(), prefix="model.")
save("averaged", torch.optim.swa_utils.AveragedModel(network).state_dict(), prefix="module.", ignored=["n_averaged"])
legacy = {"_use_new_zipfile_serialization": False}
save("legacy_parallel", {"state_dict": under("module.")}, options=legacy, key="state_dict", prefix="module.")

# Checkpoints of training scripts.
save(
    "lightning",
    {
        "epoch": 3,
        "global_step": 10,
        "pytorch-lightning_version": "2.2.0",
        "state_dict": under("model.") | {"criterion.weight": torch.ones(3)},
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {},
        "optimizer_states": [optimiser.state_dict()],
        "hyper_parameters": {"lr": 0.1},
    },
    key="state_dict",
    prefix="model.",
    ignored=["criterion.weight"],
)
timm = {"epoch": 1, "arch": "net", "state_dict": other, "state_dict_ema": state, "version": 2, "metric": 71.2}
save("timm", timm, key="state_dict_ema")
save("timm_args", timm | {"args": argparse.Namespace(lr=0.1)}, key="state_dict_ema", classes=["argparse.Namespace"])
reference = {"model": other, "model_ema": under("module."), "optimizer": optimiser.state_dict(), "lr_scheduler": schedule, "epoch": 1}
reference |= {"args": argparse.Namespace(data_path="x", lr=0.1)}
save("torchvision", reference, key="model_ema", prefix="module.", classes=["argparse.Namespace"])
save("imagenet", {"epoch": 3, "state_dict": under("module."), "best_acc1": torch.tensor(70.1), "optimizer": optimiser.state_dict()}, key="state_dict", prefix="module.")
save("classes", {"model_state_dict": state, "class_to_idx": {"a": 0}, "classes": ["a", "b", "c"]}, key="model_state_dict")
save("own_key", {"resnet": state, "epoch": 3}, key="resnet")

# What only Python can make, beside the weights.
for name, value, classes in [
    ("device", torch.device("cpu"), ["torch.device"]),
    ("dtype", torch.float32, ["torch.float32"]),
    ("defaultdict", collections.defaultdict(list, a=[1]), ["__builtin__.list", "collections.defaultdict"]),
    ("set", {"a", "b"}, ["__builtin__.set"]),
    ("path", pathlib.PurePosixPath("/x"), ["pathlib.PurePosixPath"]),
    ("module", network, None),
    ("numpy_scalar", np.float64(0.9), None),
    ("numpy_array", np.array([0.4, 0.4]), None),
]:
    save(f"beside_{name}", {"state_dict": state, "value": value}, key="state_dict", classes=classes or ["*"])

# Memory layouts and types.
layout = torch.channels_last
save("channels_last", {n: t.to(memory_format=layout) if t.dim() == 4 else t for n, t in state.items()})
save("transposed", {n: t.t().contiguous().t() if t.dim() == 2 else t for n, t in state.items()})
flat, shared, start = torch.cat([t.flatten() for t in weights.values()]), {}, 0
for name, tensor in weights.items():
    shared[name] = flat[start : start + tensor.numel()].view(tensor.shape)
    start += tensor.numel()
save("one_storage", shared)
save("float64", {n: t.double() if t.is_floating_point() else t for n, t in state.items()})
for name, dtype in (("float16", torch.float16), ("bfloat16", torch.bfloat16)):
    save(name, {n: t.to(dtype) if t.is_floating_point() else t for n, t in state.items()}, exact=False)

# A dropout before the last layer, in one sequence.
save("head_sequence", {n.replace("fc.", "fc.1."): t for n, t in state.items()}, head="fc.1")

# TorchScript.
torch.jit.save(torch.jit.script(network), FOLDER / "scripted.ckpt")
expect("scripted")
torch.jit.save(torch.jit.trace(network, torch.zeros(1)), FOLDER / "traced.ckpt")
expect("traced")

# Safetensors.
write_safetensors("safe_plain", weights)
write_safetensors("safe_prefix", under("model.", weights) | {"n_averaged": torch.ones(1)}, prefix="model.", ignored=["n_averaged"])
write_safetensors("safe_counters", state)
write_safetensors("safe_bfloat16", {n: t.bfloat16() for n, t in weights.items()}, exact=False)

# What is none, and why.
refuse("whole", network, "__main__.Tree", "Python code", "torch.save(model.state_dict(), FILE)")
refuse("whole_beside", {"epoch": 1, "model": network}, "__main__.Tree", "torch.save(model.state_dict(), FILE)")
refuse("not_a_number", state | {"fc.bias": torch.tensor([0.0, float("nan"), 0.0])}, "`fc.bias`", "NaN")
refuse("infinite", state | {"bn1.running_var": state["bn1.running_var"] / 0}, "`bn1.running_var`", "infinite")
refuse("two_networks", under("student.") | under("teacher."), "2 times", "`student`, `teacher`", "--key")
refuse("two_keys", {"generator": state, "critic": state}, "several state dicts", "`generator`, `critic`", "--key")
refuse("head_of_layers", {n.replace("fc.", "fc.0."): t for n, t in state.items()} | {"fc.3.weight": torch.ones(3, 3)}, "`fc`", "fc.0, fc.3")
refuse("larger", state | {"layer1.1.conv1.weight": torch.ones(3)}, "not in the network", "layer1.1.conv1.weight")
refuse("complex", {"fc.weight": torch.zeros(2, dtype=torch.complex64)}, "ComplexFloatStorage", "convert")
