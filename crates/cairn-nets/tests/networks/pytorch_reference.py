"""cairn's networks in PyTorch, for the tests beside this file.

    python3 pytorch_reference.py counts > parameter_counts.json    # what the fixture holds
    python3 pytorch_reference.py passes FOLDER                     # weights, inputs and outcomes, for pytorch.rs
    python3 pytorch_reference.py gem FOLDER                        # the same of networks with GeM
    python3 pytorch_reference.py strict FOLDER                     # loads what pytorch.rs wrote back
    python3 pytorch_reference.py timm FOLDER                       # timm's networks, under timm's names

The fixture was made with torch 2.11.0, torchvision 0.26.0 and timm 1.0.31. The networks that torchvision or timm has are its
own; the others are written down here from the systems' descriptions, under cairn's tensor names.
"""
import copy
import json
import struct
import sys
from pathlib import Path

import timm
import torch
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet


class SixConv(nn.Module):
    """System A: six convolutions with ReLU and max pool; three linear layers with dropout after the first two."""

    def __init__(self, classes, side):
        super().__init__()
        channels = [3, 16, 32, 64, 128, 128, 128]
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1) for i, o in zip(channels, channels[1:]))
        self.fc1 = nn.Linear(128 * (side // 64) ** 2, 512)
        self.fc2 = nn.Linear(512, 256)
        self.fc3 = nn.Linear(256, classes)

    def forward(self, x):
        for conv in self.convs:
            x = nn.functional.max_pool2d(conv(x).relu(), 2)
        return self.fc3(self.fc2(self.fc1(x.flatten(1)).relu()).relu())


class ConvNorm(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv = nn.Conv2d(i, o, 3, padding=1)
        self.bn = nn.BatchNorm2d(o)

    def forward(self, x):
        return self.bn(self.conv(x)).relu()


class PlainCnn(nn.Module):
    """System B: groups of [conv, batch norm, ReLU] with a max pool after each; global average pool; linear."""

    def __init__(self, classes, side):
        super().__init__()
        groups = [[(3, 64)], [(64, 128)], [(128, 256), (256, 256)], [(256, 512), (512, 512)], [(512, 512), (512, 512)]]
        self.groups = nn.ModuleList(nn.ModuleList(ConvNorm(i, o) for i, o in group) for group in groups)
        self.fc = nn.Linear(512, classes)

    def forward(self, x):
        for group in self.groups:
            for layer in group:
                x = layer(x)
            x = nn.functional.max_pool2d(x, 2)
        return self.fc(x.mean((2, 3)))


class Residual(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(o)
        self.skip = nn.Conv2d(i, o, 1) if i != o else None

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (x if self.skip is None else self.skip(x))).relu()


class ResidualCnn(nn.Module):
    """System B: six groups of residual blocks, a max pool after each but the last; global average pool; linear."""

    def __init__(self, classes, side):
        super().__init__()
        groups = [[(3, 64)], [(64, 128)], [(128, 256), (256, 256)], [(256, 512), (512, 512)]] + [[(512, 512)] * 2] * 2
        self.groups = nn.ModuleList(nn.ModuleList(Residual(i, o) for i, o in group) for group in groups)
        self.fc = nn.Linear(512, classes)

    def forward(self, x):
        for n, group in enumerate(self.groups):
            if n > 0:
                x = nn.functional.max_pool2d(x, 2)
            for block in group:
                x = block(x)
        return self.fc(x.mean((2, 3)))


class ThreeConv(nn.Module):
    """System C: three convolutions with ReLU and max pool; a linear layer with batch norm; dropout; linear."""

    def __init__(self, classes, side):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, 64, 3, padding=1)
        self.fc1 = nn.Linear(64 * (side // 8) ** 2, 128)
        self.bn1 = nn.BatchNorm1d(128)
        self.fc2 = nn.Linear(128, classes)

    def forward(self, x):
        for conv in (self.conv1, self.conv2, self.conv3):
            x = nn.functional.max_pool2d(conv(x).relu(), 2)
        return self.fc2(self.bn1(self.fc1(x.flatten(1))).relu())


def narrower_resnet(classes, stem_kernel, blocks, widths=(32, 64, 128, 256)):
    """torchvision's ResNet with so many blocks in each layer, of these widths: by default half of ResNet-18's."""
    net = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=classes)
    net.conv1 = nn.Conv2d(3, widths[0], stem_kernel, stride=2, padding=stem_kernel // 2, bias=False)
    net.bn1 = nn.BatchNorm2d(widths[0])
    net.inplanes = widths[0]
    for n, width in enumerate(widths):
        setattr(net, f"layer{n + 1}", net._make_layer(BasicBlock, width, blocks, stride=1 if n == 0 else 2))
    net.fc = nn.Linear(widths[-1], classes)
    return net


def resnet10_small(classes, side):
    """With a 3x3 stem and no pool."""
    net = narrower_resnet(classes, 3, 1)
    net.maxpool = nn.Identity()
    return net


def resnet18_small(classes, side):
    return narrower_resnet(classes, 7, 2)


def resnet18_tiny(classes, side):
    return narrower_resnet(classes, 7, 2, (24, 48, 96, 120))


def published(name, **settings):
    """torchvision's own network. Dropout and stochastic depth, which draw other values here and there, are off."""
    return lambda classes, side: getattr(torchvision.models, name)(num_classes=classes, **settings)


def of_timm(name):
    """timm's own network, which has neither dropout nor stochastic depth unless asked for."""
    return lambda classes, side: timm.create_model(name, num_classes=classes)


# Name: (network, published side, a small side for passes). The small sides are such that maps
# of an odd size occur, so that what happens to a last row or column is compared too.
NETWORKS = {
    "six-conv": (SixConv, 800, 70),
    "plain-cnn": (PlainCnn, 224, 45),
    "residual-cnn": (ResidualCnn, 224, 45),
    "three-conv": (ThreeConv, 224, 37),
    "resnet10-small": (resnet10_small, 96, 37),
    "resnet18-small": (resnet18_small, 160, 75),
    "resnet18-tiny": (resnet18_tiny, 160, 75),
    "resnet18": (published("resnet18"), 224, 75),
    "resnet34": (published("resnet34"), 224, 75),
    "resnet50": (published("resnet50"), 224, 75),
    "alexnet": (published("alexnet", dropout=0.0), 224, 75),
    "vgg16_bn": (published("vgg16_bn", dropout=0.0, init_weights=False), 224, 45),
    "squeezenet1_1": (published("squeezenet1_1", dropout=0.0), 224, 75),
    "mobilenet_v2": (published("mobilenet_v2", dropout=0.0), 224, 75),
    "mobilenet_v3_large": (published("mobilenet_v3_large", dropout=0.0), 224, 75),
    "efficientnet_b0": (published("efficientnet_b0", dropout=0.0, stochastic_depth_prob=0.0), 224, 75),
    "tf_efficientnet_lite0": (of_timm("tf_efficientnet_lite0"), 224, 75),
    "tf_efficientnet_lite1": (of_timm("tf_efficientnet_lite1"), 240, 64),
    "tf_efficientnet_lite2": (of_timm("tf_efficientnet_lite2"), 260, 75),
    "tf_efficientnet_lite3": (of_timm("tf_efficientnet_lite3"), 300, 66),
    "tf_efficientnet_lite4": (of_timm("tf_efficientnet_lite4"), 380, 75),
    "regnet_y_800mf": (published("regnet_y_800mf"), 224, 75),
    "convnext_tiny": (published("convnext_tiny", stochastic_depth_prob=0.0), 224, 75),
}


def counts():
    rows = []
    for name, (make, side, _) in NETWORKS.items():
        parameters = sum(p.numel() for p in make(50, side).parameters())
        rows.append({"architecture": name, "classes": 50, "side": side, "parameters": parameters})
    print("[\n" + ",\n".join("  " + json.dumps(row) for row in rows) + "\n]")


def write_safetensors(path, tensors):
    """The format is a length, a JSON header and the bytes: written by hand, so that torch is all that is needed."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        # cairn's name of GeM's power.
        name = name.replace("avgpool.p", "pool.p").replace("global_pool.0.p", "pool.p")
        raw = tensor.detach().contiguous().numpy().tobytes()
        kind = {torch.float32: "F32", torch.int64: "I64"}[tensor.dtype]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    raw = path.read_bytes()
    header = 8 + struct.unpack("<Q", raw[:8])[0]
    tensors = {}
    for name, entry in json.loads(raw[8:header]).items():
        if name != "__metadata__":
            begin, end = (header + offset for offset in entry["data_offsets"])
            values = torch.frombuffer(bytearray(raw[begin:end]), dtype=torch.float32)
            tensors[name] = values.reshape(entry["shape"])
    return tensors


def sample(tensor):
    """All of a tensor, or every 97th element of one that has more than a million."""
    return tensor.flatten()[::97] if tensor.numel() > 2**20 else tensor


def step(net, images, length=1e-3):
    """A step of SGD of this length, in training mode, by the gradient of the cross-entropy; photo n is of class n.

    Returns the learning rate. Networks of random norms have steep losses, whose gradients come to hundreds."""
    net.train().zero_grad()
    nn.functional.cross_entropy(net(images), torch.arange(len(images))).backward()
    rate = length / torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()
    torch.optim.SGD(net.parameters(), lr=rate).step()
    return torch.tensor([rate])


def randomise_scales(net):
    """Norms and scales that do more than nothing."""
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm)):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.5, 0.5)
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 1.5)
        for name, parameter in net.named_parameters():
            if name.endswith(("layer_scale", ".gamma")):
                parameter.uniform_(0.5, 1.0)


class Gem(nn.Module):
    """The generalised mean of Radenovic et al. 2018, by the authors' code; the power is not the one it begins with."""

    def __init__(self):
        super().__init__()
        self.p = nn.Parameter(torch.tensor([2.3]))

    def forward(self, x):
        return nn.functional.avg_pool2d(x.clamp(min=1e-6).pow(self.p), (x.size(-2), x.size(-1))).pow(1 / self.p)


def with_gem(net):
    """The network with GeM in place of its average pool."""
    if hasattr(net, "avgpool"):
        net.avgpool = Gem()
    else:
        net.global_pool = nn.Sequential(Gem(), nn.Flatten())
    return net


def gem(folder):
    networks = {}
    for name in ("resnet10-small", "regnet_y_800mf", "tf_efficientnet_lite0"):
        make, published, side = NETWORKS[name]
        networks[f"{name}.gem"] = (lambda classes, side, make=make: with_gem(make(classes, side)), published, side)
    passes(folder, networks)


def passes(folder, networks=NETWORKS, classes=7, batch=4):
    for name, (make, _, side) in networks.items():
        torch.manual_seed(sum(name.encode()))
        net = make(classes, side)
        randomise_scales(net)
        step(net, torch.randn(batch, 3, side, side))
        images = torch.randn(batch, 3, side, side)
        # The state dict as it is, batch norm's integer counters included.
        write_safetensors(folder / f"{name}.weights.safetensors", net.state_dict())
        torch.save(net.state_dict(), folder / f"{name}.pth")
        with torch.no_grad():
            outcome = {"images": images, "evaluated": net.eval()(images)}
        exact = copy.deepcopy(net).double()
        outcome["rate"] = step(exact, images.double())
        outcome |= {f"gradient of {key}": sample(value.grad).float() for key, value in exact.named_parameters()}
        outcome |= {f"stepped {key}": sample(value.detach()).float() for key, value in exact.named_parameters()}
        with torch.no_grad():
            outcome["trained"] = net.train()(images)
        outcome |= {key: value for key, value in net.state_dict().items() if ".running_" in key}
        write_safetensors(folder / f"{name}.passes.safetensors", outcome)


# cairn's name: timm's.
TIMM_NETWORKS = {
    "resnet18": "resnet18",
    "resnet34": "resnet34",
    "resnet50": "resnet50",
    "mobilenet_v2": "mobilenetv2_100",
    "mobilenet_v3_large": "mobilenetv3_large_100",
    "efficientnet_b0": "efficientnet_b0",
    "tf_efficientnet_lite0": "tf_efficientnet_lite0",
    "regnet_y_800mf": "regnety_008_tv",
    "convnext_tiny": "convnext_tiny",
}


def timm_passes(folder, classes=7, batch=2, side=75):
    """timm's own state dicts with random weights, and their logits."""
    for name, of_timm in TIMM_NETWORKS.items():
        torch.manual_seed(sum(name.encode()))
        net = timm.create_model(of_timm, num_classes=classes)
        randomise_scales(net)
        images = torch.randn(batch, 3, side, side)
        torch.save(net.state_dict(), folder / f"{name}.timm.pth")
        with torch.no_grad():
            outcome = {"images": images, "evaluated": net.eval()(images)}
        write_safetensors(folder / f"{name}.timm.safetensors", outcome)


def strict(folder, classes=7):
    """Loads what cairn wrote back."""
    for name, (make, _, side) in NETWORKS.items():
        make(classes, side).load_state_dict(read_safetensors(folder / f"{name}.back.safetensors"), strict=True)


if __name__ == "__main__":
    torch.set_num_threads(1)  # Beside other tests, more would wait for each other.
    if sys.argv[1] == "counts":
        counts()
    elif sys.argv[1] == "timm":
        timm_passes(Path(sys.argv[2]))
    elif sys.argv[1] == "gem":
        gem(Path(sys.argv[2]))
    elif sys.argv[1] == "passes":
        passes(Path(sys.argv[2]))
    else:
        strict(Path(sys.argv[2]))
