"""Writes heic.json: small HEIC files, and the pixels that libheif reads from them.

The values in the repository were made with Python 3, Pillow 13.0.0, pillow-heif 1.8.1 and numpy:

    python heic.py > heic.json

Each case is a file and its pixels on white as RGB, [height, width, 3], both as hexadecimal digits. pillow-heif encodes the
pictures; the containers of grids, rotations and mirrors, which it does not write, are put together here (ISO/IEC 23008-12).
"""

import io
import json
import struct

import numpy as np
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()


def gradients(width, height, mode):
    y, x = np.mgrid[0:height, 0:width]
    channels = [x * 200 // width + 20, y * 220 // height + 10, 230 - (x + y) * 150 // (width + height), 60 + x * y * 195 // width // height]
    planes = np.stack(channels, axis=-1).clip(0, 255).astype(np.uint8)
    return Image.fromarray(planes[..., : len(mode)] if len(mode) > 1 else planes[..., 0], mode)


def encoded(image, **options):
    file = io.BytesIO()
    # Without the encoder's settings as text in every picture.
    pillow_heif.from_pillow(image).save(file, quality=90, enc_params={"x265:info": "0"}, **options)
    return file.getvalue()


def box(kind, *parts):
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + kind + content


def full(kind, version, flags, *parts):
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def boxes(data, start, end):
    while start + 8 <= end:
        length, kind = struct.unpack(">I4s", data[start : start + 8])
        yield kind, start + 8, start + length
        start += length


def parameters_and_picture(file):
    for kind, start, end in boxes(file, 0, len(file)):
        if kind == b"mdat":
            picture = file[start:end]
        if kind == b"meta":
            for kind, start, end in boxes(file, start + 4, end):
                if kind == b"iprp":
                    _, start, end = next(part for part in boxes(file, start, end) if part[0] == b"ipco")
                    _, start, end = next(part for part in boxes(file, start, end) if part[0] == b"hvcC")
                    parameters = file[start - 8 : end]
    return parameters, picture


def grid(image, transforms=(), tile=64, exif=None):
    """Tiles, then a grid of them with the given properties, as phones write it."""
    width, height = image.size
    columns, rows = -(-width // tile), -(-height // tile)
    canvas = Image.new("RGB", (columns * tile, rows * tile))
    canvas.paste(image, (0, 0))
    items = []
    for row in range(rows):
        for column in range(columns):
            part = canvas.crop((column * tile, row * tile, (column + 1) * tile, (row + 1) * tile))
            parameters, picture = parameters_and_picture(encoded(part))
            items.append((b"hvc1", picture))
    tiles = len(items)
    whole = tiles + 1
    described = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    items.append((b"grid", described))
    references = box(b"dimg", struct.pack(f">HH{tiles}H", whole, tiles, *range(1, tiles + 1)))
    if exif is not None:
        items.append((b"Exif", struct.pack(">I", 0) + exif))
        references += box(b"cdsc", struct.pack(">HHH", whole + 1, 1, whole))
    properties = [
        parameters,
        full(b"ispe", 0, 0, struct.pack(">II", tile, tile)),
        full(b"ispe", 0, 0, struct.pack(">II", width, height)),
        box(b"colr", b"nclx", struct.pack(">HHHB", 1, 13, 6, 0x80)),
        *transforms,
    ]
    of_tile = bytes([0x81, 2, 4])
    of_whole = bytes([3, 4, *(0x80 | number for number in range(5, len(properties) + 1))])
    associations = b"".join(struct.pack(">HB", item, 3) + of_tile for item in range(1, whole))
    associations += struct.pack(">HB", whole, len(of_whole)) + of_whole
    infos = b"".join(full(b"infe", 2, 0, struct.pack(">HH", item, 0), kind, b"\0") for item, (kind, _) in enumerate(items, 1))
    head = box(b"ftyp", b"heic", b"\0\0\0\0", b"mif1heic")

    def meta(offset):
        locations = b""
        for item, (_, data) in enumerate(items, 1):
            locations += struct.pack(">HHHII", item, 0, 1, offset, len(data))
            offset += len(data)
        return full(
            b"meta", 0, 0,
            full(b"hdlr", 0, 0, b"\0\0\0\0", b"pict", b"\0" * 13),
            full(b"pitm", 0, 0, struct.pack(">H", whole)),
            full(b"iinf", 0, 0, struct.pack(">H", len(items)), infos),
            full(b"iref", 0, 0, references),
            box(b"iprp", box(b"ipco", *properties), full(b"ipma", 0, 0, struct.pack(">I", whole), associations)),
            full(b"iloc", 0, 0, b"\x44\x00", struct.pack(">H", len(items)), locations),
        )

    meta_box = meta(len(head) + len(meta(0)) + 8)
    return head + meta_box + box(b"mdat", *(data for _, data in items))


def deep(bits):
    pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
    samples = np.asarray(gradients(40, 24, "RGB")).astype(np.uint16) * 257
    file = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", (40, 24), samples.tobytes()).save(file, quality=90, enc_params={"x265:info": "0"})
    return file.getvalue()


def on_white(image):
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


rgb = gradients(40, 24, "RGB")
irot = lambda quarters: box(b"irot", bytes([quarters]))
imir = lambda axis: box(b"imir", bytes([axis]))
# A clean aperture of 30 x 18 whose middle is 3 to the right of and 1 above the picture's: from (8, 2) on. (At odd positions
# libheif makes up chroma in another way.)
clap = box(b"clap", struct.pack(">IIIIiIiI", 30, 1, 18, 1, 3, 1, -1, 1))
# EXIF data that name orientation 3, which must not be applied.
exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0\0\0\0\0"
files = {
    "4:2:0": encoded(rgb, chroma="420"),
    "4:2:2": encoded(rgb, chroma="422"),
    "4:4:4": encoded(rgb, chroma="444"),
    "lossless": encoded(rgb, chroma="444", matrix_coefficients=0),
    "BT.709": encoded(rgb, matrix_coefficients=1, full_range_flag=0),
    "odd sides": encoded(gradients(41, 23, "RGB")),
    "grey": encoded(rgb.convert("L")),
    "alpha": encoded(gradients(40, 24, "RGBA")),
    "10 bits": deep(10),
    "12 bits": deep(12),
    "grid": grid(gradients(150, 90, "RGB")),
    "grid and EXIF": grid(rgb, exif=exif),
    "cropped": grid(rgb, [clap]),
    "cropped and turned": grid(rgb, [clap, irot(1)]),
    **{f"turned by {90 * quarters}": grid(rgb, [irot(quarters)]) for quarters in (1, 2, 3)},
    **{f"mirrored, axis {axis}": grid(rgb, [imir(axis)]) for axis in (0, 1)},
    **{f"turned by 90 and mirrored, axis {axis}": grid(rgb, [irot(1), imir(axis)]) for axis in (0, 1)},
}

print("[")
for number, (name, file) in enumerate(files.items(), 1):
    image = on_white(Image.open(io.BytesIO(file)))
    case = {
        "name": name,
        "file": file.hex(),
        "width": image.width,
        "height": image.height,
        "pixels": np.asarray(image).tobytes().hex(),
    }
    print(json.dumps(case, separators=(",", ":")) + ("," if number < len(files) else ""))
print("]")
