"""Files of PyTorch of every kind that read_pth reads or refuses, for pytorch.rs.

    python3 pytorch_files.py FOLDER

Each FOLDER/NAME.pth has a NAME.json beside it: the tensors that must be found, in order, each with name, type, shape and
its bytes (row-major, little-endian, as hexadecimal digits); or the words that the refusal must have. torch is all that is
needed; tried with torch 2.11.0.
"""
import argparse
import collections
import json
import pathlib
import sys
from pathlib import Path

import torch
from torch import nn

# Threads that wait for each other would take most of the time.
torch.set_num_threads(1)

FOLDER = Path(sys.argv[1])
DTYPES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "Bf16",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.uint8: "U8",
    torch.bool: "Bool",
}


def expect(name, tensors):
    rows = []
    for key, tensor in tensors.items():
        raw = bytes(tensor.detach().clone(memory_format=torch.contiguous_format).flatten().view(torch.uint8).tolist())
        rows.append({"name": key, "dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "bytes": raw.hex()})
    (FOLDER / f"{name}.json").write_text(json.dumps(rows))


def save(name, content, tensors, **options):
    torch.save(content, FOLDER / f"{name}.pth", **options)
    expect(name, tensors)


def refuse(name, content, words):
    torch.save(content, FOLDER / f"{name}.pth")
    (FOLDER / f"{name}.json").write_text(json.dumps(words))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(4)

    def forward(self, x):
        return torch.relu(self.bn(self.conv(x)) + x)


class Net(nn.Module):
    """A module in a module in a list, parameters, statistics, a counter, and attributes that are no tensors."""

    def __init__(self):
        super().__init__()
        self.class_names = ["Eiffel Tower", "Château d'If"]
        self.stem = nn.Conv2d(3, 4, 3)
        self.blocks = nn.Sequential(Block(), Block())
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.blocks(self.stem(x)).mean((2, 3)))


torch.manual_seed(3)
net = Net()
net(torch.randn(2, 3, 8, 8))  # the statistics and counters move
net.eval()
state = net.state_dict()

# The ways of torch.save.
save("state_dict", state, state)
save("legacy", state, state, _use_new_zipfile_serialization=False)
for protocol in (3, 4, 5):
    save(f"protocol{protocol}", state, state, pickle_protocol=protocol)
save("parameters", dict(net.named_parameters()), dict(net.named_parameters()))
save("legacy_parameters", dict(net.named_parameters()), dict(net.named_parameters()), _use_new_zipfile_serialization=False)

# Every type; views of every kind; storages that tensors share.
block = torch.arange(60, dtype=torch.float32).reshape(3, 4, 5)
tensors = {str(dtype): (torch.arange(7) % 3).to(dtype).reshape(7, 1) for dtype in DTYPES}
tensors |= {
    "whole": block,
    "turned": block.permute(2, 0, 1),
    "part": block[1:, ::2, 3],
    "expanded": block[0, 0, :1].expand(4, 3),
    "channels_last": block[None].contiguous(memory_format=torch.channels_last),
    "number": torch.tensor(2.5),
    "empty": torch.zeros(0, 3),
    "tied": block,
}
for name, options in (("views", {}), ("legacy_views", {"_use_new_zipfile_serialization": False})):
    save(name, tensors, tensors, **options)

# Checkpoints of training scripts.
optimiser = torch.optim.AdamW(net.parameters(), lr=0.1)
net(torch.randn(2, 3, 8, 8)).sum().backward()
optimiser.step()
optimiser.zero_grad()
state = net.state_dict()
schedule = torch.optim.lr_scheduler.StepLR(optimiser, 3)
rest = {"epoch": 7, "best": torch.tensor(0.7), "lr": 1e-3, "arch": "net", "done": False, "seed": 2**70, "size": torch.Size([3, 224])}
rest |= {"optimizer": optimiser.state_dict(), "schedule": {k: v for k, v in schedule.state_dict().items() if k != "_get_lr_called_within_step"}}
for key in ("state_dict", "model_state_dict", "model_state", "model"):
    save(f"checkpoint_{key}", rest | {key: state}, state)
save("legacy_checkpoint", rest | {"state_dict": state}, state, _use_new_zipfile_serialization=False)
# Names are the file's: which prefix is none of the network's, a reader that knows the network finds out.
wrapped = {f"module.{key}": value for key, value in state.items()}
save("data_parallel", wrapped, wrapped)

# The running mean goes before the weights, and a key that nobody knows is found where it is the only one.
older = {key: value + 1 for key, value in state.items()}
for key, mean in (("state_dict", "state_dict_ema"), ("model", "model_ema"), ("model", "ema")):
    save(f"mean_{mean}", {key: older, mean: state}, state)
save("one_key", rest | {"student": state}, state)

# What Python has to make, beside the weights: passed over.
others = {
    "namespace": argparse.Namespace(lr=0.1),
    "device": torch.device("cpu"),
    "dtype": torch.float32,
    "default": collections.defaultdict(list, a=[1]),
    "set": {"a", "b"},
    "frozen": frozenset({1}),
    "path": pathlib.PurePosixPath("/x"),
    "complex": 1j,
    "counter": collections.Counter("abc"),
    "deque": collections.deque([1, 2]),
    "schedule": schedule,
    "module": net,
    "int32": torch.ones(3, dtype=torch.int32),
}
for protocol in (2, 4, 5):
    save(f"python_{protocol}", others | {"state_dict": state}, state, pickle_protocol=protocol)
save("legacy_python", others | {"state_dict": state}, state, _use_new_zipfile_serialization=False)

# TorchScript.
script = torch.jit.script(net)
torch.jit.save(script, FOLDER / "scripted.pth")
expect("scripted", script.state_dict())
trace = torch.jit.trace(net, torch.zeros(1, 3, 8, 8))
torch.jit.save(trace, FOLDER / "traced.pth")
expect("traced", trace.state_dict())

# What is no state dict.
refuse("whole_model", net, ["__main__.Net", "torch.save(model.state_dict(), FILE)"])
refuse("whole_model_beside", {"epoch": 3, "model": net}, ["__main__.Net", "torch.save(model.state_dict(), FILE)"])
refuse("two_keys", {"student": state, "teacher": state}, ["several state dicts", "`student`, `teacher`", "--key"])
refuse("complex", {"weight": torch.zeros(2, dtype=torch.complex64)}, ["ComplexFloatStorage"])
refuse("numbers", {"loss": [0.5, 0.25], "epochs": 2}, ["no state dict", "`loss`, `epochs`"])
refuse("tensor", torch.zeros(3), ["no state dict", "a single tensor"])
