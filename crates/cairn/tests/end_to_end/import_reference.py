"""Writes a ResNet-18 of random weights as a state dict and as TorchScript, and prints what it makes of a photo.

Made for torch 2.11, torchvision 0.26 and Pillow 13. Usage: import_reference.py FOLDER PHOTO. Writes state_dict.pth and
scripted.pt into FOLDER and prints the probabilities of three classes as a JSON list.
"""

import json
import sys

import torch
from PIL import Image
from torchvision import models, transforms

folder, photo = sys.argv[1:]
torch.manual_seed(4)
model = models.resnet18(num_classes=3)
with torch.no_grad():
    model.train()
    for _ in range(3):  # batch norm's statistics are no longer those of a fresh network
        model(torch.randn(4, 3, 64, 64))
model.eval()
torch.save(model.state_dict(), f"{folder}/state_dict.pth")
torch.jit.script(model).save(f"{folder}/scripted.pt")

to_input = transforms.Compose([
    transforms.Resize(256),
    transforms.CenterCrop(224),
    transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
])
with torch.no_grad():
    logits = model(to_input(Image.open(photo).convert("RGB"))[None])
print(json.dumps(logits.softmax(1)[0].tolist()))
