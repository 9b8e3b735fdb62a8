"""Writes avif.json: small AVIF files turned and mirrored in all eight ways, and the pixels that Pillow reads from them.

The values in the repository were made with Python 3, Pillow 13.0.0 (libavif) and numpy:

    python avif.py > avif.json

Each case is a file and its upright pixels as RGB, [height, width, 3], both as hexadecimal digits. Pillow writes an EXIF
orientation into AVIF as the container's own properties, which is what other programs write.
"""

import io
import json

import numpy as np
from PIL import Image, ImageOps

y, x = np.mgrid[0:12, 0:20]
stored = Image.fromarray(np.stack([x * 12, y * 20, 200 - x * 4 - y * 6], axis=-1).astype(np.uint8))

print("[")
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    stored.save(file, "AVIF", quality=95, subsampling="4:4:4", exif=exif)
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue()))).convert("RGB")
    case = {
        "name": f"orientation {orientation}",
        "file": file.getvalue().hex(),
        "width": image.width,
        "height": image.height,
        "pixels": np.asarray(image).tobytes().hex(),
    }
    print(json.dumps(case, separators=(",", ":")) + ("," if orientation < 8 else ""))
print("]")
