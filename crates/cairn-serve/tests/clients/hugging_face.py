"""Asks a server for the classes of a photo by Hugging Face's client (huggingface_hub 2.4.0), and prints what it got.

    python hugging_face.py URL PHOTO KEY LABELS

KEY is sent as the client's token, unless it is empty; LABELS is how many labels are asked for, or empty.
"""

import json
import sys

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

url, photo, key, labels = sys.argv[1:]
client = InferenceClient(model=url, token=key or None, timeout=120)
try:
    found = client.image_classification(photo, top_k=int(labels) if labels else None)
    print(json.dumps({"labels": [[element.label, element.score] for element in found]}))
except HfHubHTTPError as error:
    response = error.response
    print(json.dumps({"status": response.status_code, "error": response.json(), "retry": response.headers.get("retry-after")}))
