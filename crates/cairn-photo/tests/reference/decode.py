"""Writes decode.json: small files in many formats, and the pixels that Pillow reads from them.

The values in the repository were made with Python 3, Pillow 13.0.0 and numpy:

    python decode.py > decode.json

Each case is a file (as hexadecimal digits) and its pixels on white as RGB, [height, width, 3], flattened.
"""

import io
import json

import numpy as np
from PIL import Image


def gradients(width, height, mode):
    """Smooth, so that lossy formats keep near to it, and without symmetry."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [x * 200 // width + 20, y * 220 // height + 10, 230 - (x + y) * 150 // (width + height), 40 + x * y // 4]
    planes = np.stack(channels, axis=-1).clip(0, 255).astype(np.uint8)
    return Image.fromarray(planes[..., : len(mode)] if len(mode) > 1 else planes[..., 0], mode)


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def on_white(image):
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def as_ycck(cmyk):
    """The same file with another transform in its Adobe marker: its four channels now mean luma, chroma and black."""
    at = cmyk.index(b"Adobe")
    return cmyk[: at + 11] + b"\x02" + cmyk[at + 12 :]


rgb, rgba, grey = gradients(20, 12, "RGB"), gradients(20, 12, "RGBA"), gradients(20, 12, "L")
cmyk = saved(gradients(20, 12, "CMYK"), "JPEG", quality=90)
palette = rgb.quantize(16)
palette_with_hole = palette.copy()
palette_with_hole.paste(3, (4, 2, 15, 9))
files = {
    "JPEG, baseline, 4:2:0": saved(rgb, "JPEG", quality=90, subsampling="4:2:0"),
    "JPEG, baseline, 4:4:4": saved(rgb, "JPEG", quality=90, subsampling="4:4:4"),
    "JPEG, progressive": saved(rgb, "JPEG", quality=90, progressive=True),
    "JPEG, restart markers": saved(rgb, "JPEG", quality=90, restart_marker_blocks=1),
    "JPEG, grey": saved(grey, "JPEG", quality=90),
    "JPEG, CMYK": cmyk,
    "JPEG, YCCK": as_ycck(cmyk),
    "JPEG, MPO": saved(rgb, "MPO", save_all=True, append_images=[rgb.rotate(180)], quality=90),
    "PNG": saved(rgb, "PNG"),
    "PNG, alpha": saved(rgba, "PNG"),
    "PNG, grey and alpha": saved(rgba.convert("LA"), "PNG"),
    "PNG, palette": saved(palette, "PNG"),
    "PNG, palette of two bits": saved(rgb.quantize(4), "PNG"),
    "PNG, palette with a transparent colour": saved(palette_with_hole, "PNG", transparency=3),
    "PNG, black and white": saved(grey.convert("1"), "PNG"),
    "WebP, lossy": saved(rgb, "WEBP", quality=90),
    "WebP, lossless": saved(rgb, "WEBP", lossless=True),
    "WebP, alpha": saved(rgba, "WEBP", lossless=True, exact=True),
    "GIF": saved(palette, "GIF"),
    "GIF, transparent colour": saved(palette_with_hole, "GIF", transparency=3),
    "GIF, two frames": saved(palette, "GIF", save_all=True, append_images=[palette.rotate(180)]),
    "BMP": saved(rgb, "BMP"),
    "BMP, palette": saved(palette, "BMP"),
    "TIFF": saved(rgb, "TIFF"),
    "TIFF, LZW": saved(rgb, "TIFF", compression="tiff_lzw"),
    "TIFF, grey, deflate": saved(grey, "TIFF", compression="tiff_adobe_deflate"),
    "TIFF, CMYK": saved(gradients(20, 12, "CMYK"), "TIFF"),
}

print("[")
for number, (name, file) in enumerate(files.items(), 1):
    image = on_white(Image.open(io.BytesIO(file)))
    case = {
        "name": name,
        "file": file.hex(),
        "width": image.width,
        "height": image.height,
        "pixels": np.asarray(image).flatten().tolist(),
    }
    print(json.dumps(case, separators=(",", ":")) + ("," if number < len(files) else ""))
print("]")
