"""Networks that use every operation an exported model can have, and exported models run, for the tests beside this file.

    python3 export_reference.py weights FOLDER     # NETWORK.pth for each network below
    python3 export_reference.py check FOLDER       # runs what the tests exported from them; fails with what differs

A case is a folder with case.json (network, names of the classes, temperature, element type of the ONNX model's photos,
tolerance), model.onnx and model_scripted.pt, and for each photo NAME.photo (the photo's levels, [3, height, width]) and
NAME.input (the network's input as cairn makes it, f32 [3, side, side]). What the exported models give for the photo must
be what the network gives for the input. Needs torch and numpy; the ONNX checker, ONNX Runtime and OpenVINO run if they
are installed. Tried with torch 2.11.0, onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1.
"""
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Classic(nn.Module):
    """AlexNet's and SqueezeNet's operations; the average pool's windows overlap and differ in size."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, (5, 3), stride=(2, 1), padding=(2, 0))
        self.squeeze = nn.Conv2d(8, 4, 1)
        self.left = nn.Conv2d(4, 6, 1)
        self.right = nn.Conv2d(4, 6, 3, padding=1, bias=False)
        self.fc1 = nn.Linear(12 * 3 * 4, 20)
        self.fc2 = nn.Linear(20, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 3, stride=2, ceil_mode=True)
        x = F.max_pool2d(x, (2, 3), stride=(1, 2), padding=(1, 1))
        x = F.relu(self.squeeze(x))
        x = torch.cat([self.left(x), F.relu(self.right(x))], 1)
        x = F.adaptive_avg_pool2d(x, (3, 4)).flatten(1)
        return self.fc2(F.dropout(F.relu(self.fc1(x)), training=False))


class Mobile(nn.Module):
    """MobileNet's and EfficientNet's: groups, gates, squeeze and excitation."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8))
        self.block = nn.ModuleDict({
            "expand": nn.Conv2d(8, 16, 1, bias=False), "0": nn.BatchNorm2d(16, eps=1e-3),
            "depthwise": nn.Conv2d(16, 16, 5, padding=2, groups=16, bias=False), "1": nn.BatchNorm2d(16),
            "fc1": nn.Conv2d(16, 4, 1), "fc2": nn.Conv2d(4, 16, 1),
            "project": nn.Conv2d(16, 8, 1, groups=2),
        })
        self.bn1 = nn.BatchNorm1d(8)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = F.hardswish(self.features(x))
        b = self.block
        y = F.relu6(b["0"](b["expand"](x)) * 4)
        y = F.silu(b["1"](b["depthwise"](y)))
        gate = F.hardsigmoid(b["fc2"](F.relu(b["fc1"](F.adaptive_avg_pool2d(y, 1)))))
        x = x + b["project"](gate * y)
        x = x * torch.sigmoid(x)
        x = F.avg_pool2d(x, 3, stride=2, padding=1)
        return self.fc(self.bn1(F.adaptive_avg_pool2d(x, 1).flatten(1)))


class Norms(nn.Module):
    """ConvNeXt's: layer norm and linear layers over a map's channels, GELU, layer scale."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 4, stride=4)
        self.norm0 = nn.LayerNorm(8, eps=1e-6)
        self.depthwise = nn.Conv2d(8, 8, 7, padding=3, groups=8)
        self.norm1 = nn.LayerNorm(8, eps=1e-6)
        self.wide = nn.Linear(8, 24)
        self.narrow = nn.Linear(24, 8, bias=False)
        self.layer_scale = nn.Parameter(torch.rand(8, 1, 1))
        self.scale = nn.Parameter(torch.rand(32))
        self.norm2 = nn.LayerNorm(32)
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        last = lambda f, x: f(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        x = last(self.norm0, self.stem(x))
        y = last(lambda y: self.narrow(F.gelu(self.wide(self.norm1(y)))), self.depthwise(x))
        x = x + y * self.layer_scale
        x = F.adaptive_avg_pool2d(x, 2).flatten(1)
        return self.head(self.norm2(x * self.scale))


# These networks are too small for more, and threads that wait for each other would take most of the time.
torch.set_num_threads(1)

NETWORKS = {"classic": Classic, "mobile": Mobile, "norms": Norms}


def make(name):
    torch.manual_seed(sum(name.encode()))
    net = NETWORKS[name]().eval()
    with torch.no_grad():
        for key, value in net.state_dict().items():
            if value.is_floating_point() and value.ndim < 2:
                # Norms that do something, and variances above zero.
                value.copy_(torch.rand_like(value) + 0.5 if key.endswith(("weight", "var")) else torch.randn_like(value) / 2)
        # Logits far enough apart that a wrong one shows.
        for parameter in list(net.parameters())[-2:]:
            parameter.mul_(4)
    return net


def runtimes(case, facts):
    """What runs the exported models: functions from photos [batch, 3, height, width], uint8, to probabilities."""
    scripted = torch.jit.load(case / "model_scripted.pt")
    assert scripted.class_names == facts["class_names"], scripted.class_names
    assert not scripted.training
    yield "TorchScript", lambda photos: scripted(torch.from_numpy(photos)).numpy()
    yield "TorchScript from 0 to 1", lambda photos: scripted(torch.from_numpy(photos) / 255).numpy()
    path = case / "model.onnx"
    fits = (lambda photos: photos) if facts["element"] == "uint8" else (lambda photos: (photos / 255).astype(np.float32))
    if importlib.util.find_spec("onnx"):
        import onnx

        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        assert json.loads(metadata["class_names"]) == facts["class_names"], metadata
        assert float(metadata["temperature"]) == np.float32(facts["temperature"]), metadata
        assert json.loads(metadata["preprocess"]) == facts["preprocess"], metadata
    if importlib.util.find_spec("onnxruntime"):
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        yield "ONNX Runtime", lambda photos: session.run(["probabilities"], {"photo": fits(photos)})[0]
    if importlib.util.find_spec("openvino"):
        import openvino

        # Its default on processors with bf16 products is to compute in bf16.
        compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        yield "OpenVINO", lambda photos: compiled({"photo": fits(photos)})["probabilities"]


def photos_of(case, facts, net):
    """Name, photo [1, 3, height, width], the network's input and expected probabilities of each photo of a case."""
    for path in sorted(case.glob("*.photo")):
        photo = np.fromfile(path, np.uint8).reshape(1, 3, *facts["photos"][path.stem])
        framed = np.fromfile(path.with_suffix(".input"), np.float32).reshape(1, 3, *facts["side"])
        logits = net(torch.from_numpy(framed)) / facts["temperature"]
        yield path.stem, photo, framed, logits.softmax(1).numpy()


@torch.no_grad()
def check(case):
    facts = json.loads((case / "case.json").read_text())
    net = make(facts["network"])
    photos = list(photos_of(case, facts, net))
    worst = {}
    for runtime, run in runtimes(case, facts):
        for name, photo, _, expected in photos:
            # A batch of more than one, the second another photo.
            found = run(np.concatenate([photo, 255 - photo]))
            assert found.shape == (2, len(facts["class_names"])), found.shape
            difference = np.abs(found[:1] - expected).max()
            worst[runtime] = max(worst.get(runtime, 0), difference)
            if not difference <= facts["tolerance"]:
                raise SystemExit(f"{case.name}, {runtime}, {name}: {found[0]} where PyTorch has {expected[0]}")
    # Probabilities that are all alike, or all 0 and 1, would show no difference.
    surest = max(expected.max() for *_, expected in photos)
    assert 0.3 < surest < 0.999, surest
    scripted = torch.jit.load(case / "model_scripted.pt")
    # Not a pixel is another by one level, which would be 0.01 at least.
    for name, photo, framed, _ in photos:
        difference = np.abs(scripted.preprocess(torch.from_numpy(photo)).numpy() - framed).max()
        if not difference < 1e-4:
            raise SystemExit(f"{case.name}, {name}: preprocessing differs by {difference}")
    # State dicts have the network's own names.
    names = set(scripted.state_dict())
    ours = {name for name in net.state_dict() if not name.endswith("num_batches_tracked")}
    assert {name for name in names if not name.endswith("weight_scale")} == ours, names ^ ours
    print(f"{case.name}: " + ", ".join(f"{runtime} {difference:.1e}" for runtime, difference in worst.items()))


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    if sys.argv[1] == "weights":
        for name in NETWORKS:
            torch.save(make(name).state_dict(), folder / f"{name}.pth")
    else:
        for case in sorted(folder.iterdir()):
            if case.is_dir():
                check(case)
