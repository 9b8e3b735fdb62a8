"""Networks that use every operation an exported model can have, and exported models run, for the tests beside this file.

    python3 export_reference.py weights FOLDER     # NETWORK.pth for each network below
    python3 export_reference.py check FOLDER       # runs what the tests exported from them; fails with what differs
    python3 export_reference.py networks FOLDER    # runs a model that cairn exported in all formats
    python3 export_reference.py hub FOLDER         # opens a folder for model hubs with timm and huggingface_hub

A case is a folder with case.json (network, names of the classes, temperature, element type of the ONNX model's photos,
tolerance), model.onnx and model_scripted.pt, and for each photo NAME.photo (the photo's levels, [3, height, width]) and
NAME.input (the network's input as cairn makes it, f32 [3, side, side]). What the exported models give for the photo must
be what the network gives for the input.

A model of cairn is a folder with facts.json (network, names of the classes), model.onnx, model_scripted.pt, hub/, and for
each photo NAME.photos (a batch of three of one size, levels [3, 3, height, width]); photos.json has the size of each and
the probabilities that cairn gives, [3, classes].

Needs torch and numpy; the ONNX checker, ONNX Runtime, OpenVINO, torchvision with safetensors, timm and huggingface_hub
run if they are installed. Tried with torch 2.11.0, torchvision 0.26.0, onnx 1.23.2, onnxruntime 1.32.0,
openvino 2026.4.1, safetensors 0.8.0, timm 1.0.31, huggingface_hub 2.4.0.
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
    yield from onnx_runtimes(case, facts)


def onnx_runtimes(case, facts):
    """What runs the ONNX model, once the checker has passed it."""
    path = case / "model.onnx"
    fits = (lambda photos: photos) if facts.get("element", "uint8") == "uint8" else (lambda photos: (photos / 255).astype(np.float32))
    if importlib.util.find_spec("onnx"):
        import onnx

        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        assert json.loads(metadata["class_names"]) == facts["class_names"], metadata
        assert np.float32(metadata["temperature"]) == np.float32(facts["temperature"]), metadata
        assert json.loads(metadata["preprocess"]) == facts["preprocess"], metadata
        assert json.loads(metadata["views"]) == facts.get("views", "one"), metadata
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


class Gem(nn.Module):
    def __init__(self):
        super().__init__()
        self.p = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return x.clamp(min=1e-6).pow(self.p).mean((2, 3), keepdim=True).pow(1 / self.p)


def torchvision_network(folder, facts, scripted):
    """The network of torchvision with the weights of the hub folder, if it has one of this name."""
    name = facts["network"].replace("-", "_")
    if not (importlib.util.find_spec("torchvision") and importlib.util.find_spec("safetensors")):
        return
    import torchvision
    from safetensors.torch import load_file

    if name not in torchvision.models.list_models(module=torchvision.models) or facts["views"] != "one":
        return
    net = torchvision.models.get_model(name, num_classes=len(facts["class_names"])).eval()
    weights = load_file(folder / "hub" / "model.safetensors")
    if facts["pooling"] == "gem":
        net.avgpool = Gem()
        weights["avgpool.p"] = weights.pop("pool.p")
    net.load_state_dict(weights)
    inputs = lambda photos: scripted.preprocess(torch.from_numpy(photos))
    yield "torchvision", lambda photos: (net(inputs(photos)) / facts["temperature"]).softmax(1).numpy()


@torch.no_grad()
def check_network(folder):
    facts = json.loads((folder / "facts.json").read_text())
    photos = json.loads((folder / "photos.json").read_text())
    scripted = torch.jit.load(folder / "model_scripted.pt")
    seen, worst = [], {}
    for runtime, run in [*runtimes(folder, facts), *torchvision_network(folder, facts, scripted)]:
        for name, photo in photos.items():
            batch = np.fromfile(folder / f"{name}.photos", np.uint8).reshape(3, 3, *photo["size"])
            expected = np.array(photo["expected"], np.float32)
            seen.append(expected)
            for found, wanted in [(run(batch), expected), (run(batch[:1]), expected[:1])]:
                assert found.shape == wanted.shape, found.shape
                difference = np.abs(found - wanted).max()
                worst[runtime] = max(worst.get(runtime, 0), difference)
                if not difference <= 1e-4:
                    raise SystemExit(f"{facts['network']}, {runtime}, {name}: {found} where cairn has {wanted}")
    # Probabilities that are the same for every photo would show nothing.
    assert np.ptp(np.concatenate(seen), axis=0).max() > 0.01, seen
    print(f"{facts['network']}: " + ", ".join(f"{runtime} {difference:.1e}" for runtime, difference in worst.items()))


def check_hub(folder):
    config = json.loads((folder / "config.json").read_text())
    if importlib.util.find_spec("timm"):
        import timm
        import timm.data

        net = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
        assert net.num_classes == config["num_classes"], net.num_classes
        assert list(net.pretrained_cfg["label_names"]) == config["label_names"], net.pretrained_cfg
        seen = timm.data.resolve_model_data_config(net)
        resize, crop, *_, normalise = timm.data.create_transform(**seen).transforms
        framing = config["cairn"]["preprocess"]["framing"]["short_side_crop"]
        assert (resize.size, tuple(crop.size)) == (framing["short_side"], (framing["crop"],) * 2), (resize, crop)
        mean = torch.tensor(config["cairn"]["preprocess"]["normalisation"]["mean"])
        assert torch.allclose(torch.as_tensor(normalise.mean), mean), normalise
        print("timm read the folder")
    if importlib.util.find_spec("huggingface_hub"):
        from huggingface_hub import ModelCard

        results = {r.metric_type: r.metric_value for r in ModelCard.load(folder / "README.md").data.eval_results}
        assert results == {"accuracy": 0.8125, "top-3-accuracy": 0.925, "f1": 0.8}, results
        print("huggingface_hub read the card")


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    if sys.argv[1] == "weights":
        for name in NETWORKS:
            torch.save(make(name).state_dict(), folder / f"{name}.pth")
    elif sys.argv[1] == "networks":
        check_network(folder)
    elif sys.argv[1] == "hub":
        check_hub(folder)
    else:
        for case in sorted(folder.iterdir()):
            if case.is_dir():
                check(case)
