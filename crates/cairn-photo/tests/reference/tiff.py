"""Writes tiff.json: small TIFF files of many kinds, and the pixels that Pillow reads from them.

The values in the repository were made with Python 3, Pillow 13.0.0 (libtiff 4.7.2), tifffile 2026.3.3, imagecodecs and
numpy:

    python tiff.py > tiff.json

Each case is a file and its pixels on white as RGB, [height, width, 3], both as hexadecimal digits. Where Pillow does
not read a kind, or cuts it to its high byte, the pixels come from the samples that were written, by the arithmetic in
`expected`; both are compared with one another where there are both.
"""

import io
import json
import struct
import sys
import zlib

import numpy as np
import tifffile
from PIL import Image

WIDTH, HEIGHT = 19, 17


def gradients(channels):
    """Smooth and without symmetry, 0 to 1."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [(x + 1) / (WIDTH + 2), (y + 1) / (HEIGHT + 2), 1 - (x + y) / (WIDTH + HEIGHT + 8), 0.1 + 0.8 * x * y / WIDTH / HEIGHT]
    return np.stack(planes[:channels], axis=-1)


def integers(channels, bits):
    return np.round(gradients(channels) * (2**bits - 1)).astype(np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32)


def written(array, **options):
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=options.pop("bigtiff", False), byteorder=options.pop("byteorder", "<")) as writer:
        writer.write(array, metadata=None, software=None, **options)
    return file.getvalue()


def saved(image, **options):
    file = io.BytesIO()
    image.save(file, "TIFF", **options)
    return file.getvalue()


def directory(entries, data):
    """A little-endian TIFF of one directory: (tag, type, values) and the bytes of its only strip."""
    formats = {1: "B", 3: "H", 4: "I", 5: "II"}
    start = 8 + 2 + 12 * (len(entries) + 2) + 4
    entries = entries + [(273, 4, [0]), (279, 4, [len(data)])]
    head, tail = b"", b""
    packed = []
    for tag, kind, values in entries:
        value = struct.pack("<" + "".join(formats[kind] * (len(values) if kind != 5 else len(values) // 2)), *values)
        packed.append([tag, kind, len(values) // (2 if kind == 5 else 1), value])
    size = sum(len(value) for _, _, _, value in packed if len(value) > 4)
    for entry in packed:
        if entry[0] == 273:
            entry[3] = struct.pack("<I", start + size)
    for tag, kind, count, value in sorted(packed):
        if len(value) > 4:
            head += struct.pack("<HHII", tag, kind, count, start + len(tail))
            tail += value
        else:
            head += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
    return struct.pack("<2sHIH", b"II", 42, 8, len(packed)) + head + b"\0\0\0\0" + tail + data


def subsampled(columns, rows):
    """YCbCr whose blocks of `columns` x `rows` luma samples share their chroma."""
    ycc = np.asarray(Image.fromarray(integers(3, 8)).convert("YCbCr"))
    data = b""
    for top in range(0, HEIGHT, rows):
        for left in range(0, WIDTH, columns):
            for y in range(top, top + rows):
                for x in range(left, left + columns):
                    data += bytes([ycc[min(y, HEIGHT - 1), min(x, WIDTH - 1), 0]])
            data += ycc[top, left, 1:].tobytes()
    return directory(
        [(256, 3, [WIDTH]), (257, 3, [HEIGHT]), (258, 3, [8, 8, 8]), (259, 3, [8]), (262, 3, [6]), (277, 3, [3]),
         (278, 3, [HEIGHT]), (530, 3, [columns, rows])],
        # Pillow leaves chroma to libtiff only where there is a compression.
        zlib.compress(data),
    )


def bits_of(levels, bits):
    """Rows of packed samples."""
    rows = [((row[:, None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8).flatten() for row in levels]
    return b"".join(np.packbits(row).tobytes() for row in rows)


def packed(bits, photometric, extra=()):
    levels = integers(1, bits)[..., 0]
    return directory(
        [(256, 3, [WIDTH]), (257, 3, [HEIGHT]), (258, 3, [bits]), (259, 3, [1]), (262, 3, [photometric]), (277, 3, [1]),
         (278, 3, [HEIGHT]), *extra],
        bits_of(levels, bits),
    )


def on_white(image):
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"))


def of_unit(values):
    """Pixels by the values from 0 to 1 that were written."""
    pixels = np.round(values * 255).astype(np.uint8)
    return np.broadcast_to(pixels, (HEIGHT, WIDTH, 3))


rgb, grey, rgba = integers(3, 8), integers(1, 8)[..., 0], integers(4, 8)
exact = lambda channels, bits: of_unit(integers(channels, bits) / (2**bits - 1))
image = Image.fromarray(rgb)
palette = image.quantize(16)
map_of_four_bits = [value * 257 for channel in range(3) for value in (np.arange(16) * (channel + 3) * 5 % 256).tolist()]
# Opacity times colour, as associated alpha has it.
associated = np.round(rgba[..., :3] * (rgba[..., 3:] / 255)).astype(np.uint8)
associated = np.concatenate([associated, rgba[..., 3:]], axis=-1)

files = {
    "RGB": (saved(image), None),
    "RGB, big-endian": (written(rgb, byteorder=">", photometric="rgb"), None),
    "RGB, BigTIFF": (written(rgb, bigtiff=True, photometric="rgb"), None),
    "RGB, BigTIFF, big-endian, tiles, deflate": (
        written(rgb, bigtiff=True, byteorder=">", photometric="rgb", tile=(16, 16), compression="zlib"), exact(3, 8)),
    "RGB, strips of 5 rows": (written(rgb, photometric="rgb", rowsperstrip=5), None),
    "RGB, tiles": (written(rgb, photometric="rgb", tile=(16, 32)), None),
    "RGB, planes": (written(np.moveaxis(rgb, -1, 0), photometric="rgb", planarconfig="separate"), exact(3, 8)),
    "RGB, planes in tiles, LZW": (
        written(np.moveaxis(rgb, -1, 0), photometric="rgb", planarconfig="separate", tile=(16, 16), compression="lzw"), exact(3, 8)),
    "RGB, LZW": (saved(image, compression="tiff_lzw"), None),
    "RGB, LZW, predictor": (written(rgb, photometric="rgb", compression="lzw", predictor=2), None),
    "RGB, deflate, predictor": (written(rgb, photometric="rgb", compression="zlib", predictor=2), None),
    "RGB, PackBits": (saved(image, compression="packbits"), None),
    "RGB, JPEG": (saved(image, compression="jpeg", quality=95), None),
    "RGB, JPEG in tiles": (
        written(rgb, photometric="rgb", compression="jpeg", compressionargs={"level": 95}, tile=(16, 16)), None),
    "YCbCr, JPEG, subsampled": (
        written(rgb, photometric="ycbcr", compression="jpeg", compressionargs={"level": 95}, subsampling=(2, 2), tile=(32, 32)), None),
    "grey, JPEG": (saved(Image.fromarray(grey), compression="jpeg", quality=95), None),
    "RGB of 16 bits": (written(integers(3, 16), photometric="rgb"), exact(3, 16)),
    "RGB of 16 bits, big-endian, deflate, predictor": (
        written(integers(3, 16), photometric="rgb", byteorder=">", compression="zlib", predictor=2), exact(3, 16)),
    "RGB of 32 bits": (written(integers(3, 32), photometric="rgb"), exact(3, 32)),
    "grey of 16 bits, LZW, predictor": (
        written(integers(1, 16)[..., 0], photometric="minisblack", compression="lzw", predictor=2), exact(1, 16)),
    "floating point": (written(gradients(3).astype(np.float32), photometric="rgb"), of_unit(gradients(3))),
    "floating point, deflate, predictor": (
        written(gradients(3).astype(np.float32), photometric="rgb", compression="zlib", predictor=3), of_unit(gradients(3))),
    "floating point of 64 bits, big-endian, predictor": (
        written(gradients(1)[..., 0], photometric="minisblack", byteorder=">", compression="zlib", predictor=3), of_unit(gradients(1))),
    "grey": (saved(Image.fromarray(grey)), None),
    "grey, white is zero": (written(grey, photometric="miniswhite"), None),
    "grey of 4 bits": (packed(4, 1), None),
    "grey of 2 bits, white is zero": (packed(2, 0), None),
    "grey of 12 bits": (packed(12, 1), exact(1, 12)),
    "black and white": (saved(Image.fromarray(grey).convert("1")), None),
    "black and white, bits reversed": (
        directory(
            [(256, 3, [WIDTH]), (257, 3, [HEIGHT]), (258, 3, [1]), (259, 3, [1]), (262, 3, [1]), (266, 3, [2]), (277, 3, [1]), (278, 3, [HEIGHT])],
            bytes(int(f"{byte:08b}"[::-1], 2) for byte in bits_of(integers(1, 1)[..., 0], 1))),
        None),
    "black and white, CCITT group 4": (saved(Image.fromarray(grey).convert("1"), compression="group4"), None),
    "grey and alpha": (saved(Image.fromarray(rgba[..., 1:3].copy(), "LA")), None),
    "palette": (saved(palette), None),
    "palette, LZW": (saved(palette, compression="tiff_lzw"), None),
    "palette of 4 bits": (packed(4, 3, [(320, 3, map_of_four_bits)]), None),
    "YCbCr": (saved(image.convert("YCbCr")), None),
    "YCbCr, 2 x 2": (subsampled(2, 2), None),
    "YCbCr, 2 x 1": (subsampled(2, 1), None),
    "YCbCr, 4 x 2": (subsampled(4, 2), None),
    "CMYK": (saved(Image.fromarray(rgba, "CMYK")), None),
    "CMYK, LZW": (saved(Image.fromarray(rgba, "CMYK"), compression="tiff_lzw"), None),
    "alpha": (saved(Image.fromarray(rgba, "RGBA")), None),
    "alpha, associated": (written(associated, photometric="rgb", extrasamples=["assocalpha"]), None),
    "a fourth sample that means nothing": (written(rgba, photometric="rgb", extrasamples=["unspecified"]), None),
}

print("[")
for number, (name, (file, exactly)) in enumerate(files.items(), 1):
    try:
        by_pillow = on_white(Image.open(io.BytesIO(file)))
    except Exception as error:
        by_pillow = None
        print(f"{name}: Pillow: {error}", file=sys.stderr)
    if exactly is not None and by_pillow is not None:
        worst = np.abs(exactly.astype(int) - by_pillow).max()
        print(f"{name}: up to {worst} levels between Pillow and the arithmetic", file=sys.stderr)
    pixels = by_pillow if exactly is None else exactly
    case = {"name": name, "file": file.hex(), "width": WIDTH, "height": HEIGHT, "pixels": pixels.tobytes().hex()}
    print(json.dumps(case, separators=(",", ":")) + ("," if number < len(files) else ""))
print("]")
