"""Loss, gradients and two steps of a head of which some classes are sampled, in PyTorch.

Reads what src/engine/step.rs writes: features, the head, labels, the classes of each step. Prints JSON.
"""
import json
import math
import sys

import torch
import torch.nn.functional as F

given = json.load(open(sys.argv[1]))
torch.set_default_dtype(torch.float64)
features = torch.tensor(given["features"])
weight = torch.tensor(given["weight"])
bias = torch.tensor(given["bias"])
labels = given["labels"]
total = len(weight)


def sampled_softmax(rows, biases, classes, x):
    """Logits of the sampled classes, those that no photo shows less the logarithm of their share."""
    shown = set(labels)
    share = sum(c not in shown for c in classes) / (total - len(shown))
    corrections = torch.tensor([0.0 if c in shown else -math.log(share) for c in classes])
    return F.linear(x, rows, biases) + corrections


def arcface(rows, _biases, classes, x, scale=16.0, margin=0.3):
    """Partial FC with ArcFace: cosines to the sampled classes, the margin on the true one."""
    cosine = F.linear(F.normalize(x), F.normalize(rows))
    target = torch.tensor([classes.index(c) for c in labels])
    turned = torch.cos(torch.acos(cosine) + margin)
    return scale * torch.where(F.one_hot(target, len(classes)).bool(), turned, cosine)


answers = {}
for name, logits_of in [("softmax", sampled_softmax), ("arcface", arcface)]:
    classes = given["classes"][0]
    x = features.clone().requires_grad_()
    rows, biases = weight[classes].requires_grad_(), bias[classes].requires_grad_()
    target = torch.tensor([classes.index(c) for c in labels])
    loss = F.cross_entropy(logits_of(rows, biases, classes, x), target, label_smoothing=0.1)
    gradients = torch.autograd.grad(loss, [x, rows, biases], allow_unused=True)
    answers[name] = {
        "loss": loss.item(),
        "features": gradients[0].flatten().tolist(),
        # As cairn has them: a column for each class.
        "weight": gradients[1].T.flatten().tolist(),
        "bias": [] if gradients[2] is None else gradients[2].tolist(),
    }

parameters = [torch.nn.Parameter(weight.clone()), torch.nn.Parameter(bias.clone().unsqueeze(1))]
optimizer = torch.optim.SparseAdam(parameters, lr=0.01)
for classes in given["classes"]:
    rows = parameters[0].detach()[classes].requires_grad_()
    biases = parameters[1].detach()[classes].squeeze(1).requires_grad_()
    target = torch.tensor([classes.index(c) for c in labels])
    loss = F.cross_entropy(sampled_softmax(rows, biases, classes, features), target, label_smoothing=0.1)
    found = torch.autograd.grad(loss, [rows, biases])
    for parameter, gradient in zip(parameters, [found[0], found[1].unsqueeze(1)]):
        parameter.grad = torch.sparse_coo_tensor(torch.tensor([classes]), gradient, parameter.shape)
    optimizer.step()
answers["stepped"] = {"weight": parameters[0].flatten().tolist(), "bias": parameters[1].flatten().tolist()}
print(json.dumps(answers))
