"""How right the marks of `cairn library` are, on libraries made of test photos.

Run:  python3 crates/cairn-library/tests/measure/made_libraries.py target/release/cairn [DATA]

DATA is the folder that `CAIRN_DATA` names: `landmarks/test`, `photos`, `distractors/test`, `more/test`, `more/distractors/test`.
Nothing here was used to choose anything. Needs Python 3.11 and nothing else; takes some minutes.

Each library has so many photos of other things for one photo of a landmark that the model knows. It is made twice: once without
any metadata, and once as trips. A trip is four photos of one place by one camera, twenty minutes apart; half of the trips have a
fifth photo with a position in EXIF, half an hour before: at the place itself where the place is a landmark, at home (Vienna) where it
is not. Landmarks and other places are treated alike in all else. The originals' own GPS is taken out. What the trips are worth
depends on how this file makes them: the figures before trips do not.
"""

import csv, io, os, random, re, shutil, struct, subprocess, sys, tempfile, tomllib, unicodedata
from pathlib import Path

CAIRN = Path(sys.argv[1]).resolve()
DATA = Path(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("CAIRN_DATA", "../shared/data")).resolve()
HERE = Path(__file__).resolve().parent
PLACES = tomllib.loads((HERE / "../../../cairn-places/places.toml").read_text())["place"]
HOME = (48.21, 16.37)
TRIP, DRAWS = 4, {5: 8, 20: 24}
BOUNDS = ["1/200", "1/100", "1/50", "1/20"]

# The landmarks of the originals, by the folder in which they were found; all others show none that the model knows, or are in doubt.
ORIGINALS = {
    "eiffel": "Eiffel Tower", "eiffel_tower": "Eiffel Tower", "roman_colosseum": "Colosseum", "colosseum rome": "Colosseum",
    "taj": "Taj Mahal", "alhambra palace": "Alhambra", "pyramids_of_giza": "Pyramids of Giza", "chichen_itza": "Chichén Itzá",
    "burj_khalifa": "Burj Khalifa", "hagia sophia": "Hagia Sophia", "forbidden city": "Forbidden City",
    "dome of the rock": "Dome of the Rock", "palace of versailles": "Palace of Versailles",
}


def key(name):
    name = unicodedata.normalize("NFKD", re.sub(r"^\d+\.", "", name)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", name.lower().removeprefix("the "))


NAMES = {key(name): place for place in PLACES for name in [place["name"], *place.get("also", [])]}


def truth(folder):
    place = NAMES.get(key(folder))
    return place["name"] if place else None


def landmarks():
    photos = []
    for folder in sorted((DATA / "landmarks/test").iterdir()):
        photos += [(photo, truth(folder.name)) for photo in sorted(folder.iterdir())]
    with open(DATA / "photos/photos.csv") as table:
        for row in csv.DictReader(table):
            name = ORIGINALS.get(row["source_folder"])
            # A night view of Rome that was filed under the Taj Mahal.
            if name and row["format"] == "JPEG" and row["file"] != "large-e4743b329020.jpg":
                photos.append((DATA / "photos" / row["file"], name))
    missing = {name for _, name in photos if name is None}
    assert not missing, missing
    return photos


def others():
    photos = []
    for folder in sorted((DATA / "more/test").iterdir()):
        photos += [(photo, folder.name) for photo in sorted(folder.iterdir())]
    for folder in ["distractors/test", "more/distractors/test"]:
        photos += [(photo, folder) for photo in sorted((DATA / folder).rglob("*.jpg"))]
    return photos


def exif(taken, camera, position):
    """A block of EXIF: camera, time with its offset, and a position."""
    def directory(entries, at):
        head, tail = struct.pack(">H", len(entries)), b""
        values = at + 2 + 12 * len(entries) + 4
        for tag, kind, count, value in sorted(entries):
            head += struct.pack(">HHI", tag, kind, count)
            if len(value) <= 4:
                head += value.ljust(4, b"\0")
            else:
                head += struct.pack(">I", values + len(tail))
                tail += value + b"\0" * (len(value) % 2)
        return head + b"\0\0\0\0" + tail
    text = lambda tag, value: (tag, 2, len(value) + 1, value.encode() + b"\0")
    degrees = lambda tag, value: (tag, 5, 3, struct.pack(">6I", int(abs(value) * 1e6), 1000000, 0, 1, 0, 1))
    main = [text(0x10F, "Maker"), text(0x110, camera)]
    details = directory([text(0x9003, taken), text(0x9011, "+00:00")], 400)
    gps = directory([text(1, "N" if position[0] >= 0 else "S"), degrees(2, position[0]), text(3, "E" if position[1] >= 0 else "W"),
                     degrees(4, position[1])], 800) if position else b""
    main += [(0x8769, 4, 1, struct.pack(">I", 400))] + ([(0x8825, 4, 1, struct.pack(">I", 800))] if position else [])
    block = (b"MM\0*\0\0\0\x08" + directory(main, 8)).ljust(400, b"\0") + details
    return block.ljust(800, b"\0") + gps


def tagged(jpeg, block):
    """The JPEG without its metadata, and with this block of EXIF if there is one."""
    out, rest = b"\xFF\xD8", jpeg[2:]
    if block:
        segment = b"Exif\0\0" + block
        out += b"\xFF\xE1" + struct.pack(">H", len(segment) + 2) + segment
    while rest[1] != 0xDA:
        length = struct.unpack(">H", rest[2:4])[0] + 2
        # Adobe's segment says how the colours are coded.
        if not (0xE0 <= rest[1] <= 0xFE) or rest[1] == 0xEE or rest[1] < 0xE0:
            out += rest[:length]
        rest = rest[length:]
    return out + rest


def write_library(root, chosen, rng, with_trips):
    """Writes the photos; gives the landmark of each by its path, None for other things."""
    by_place = {}
    for photo, place, is_landmark in chosen:
        by_place.setdefault((place, is_landmark), []).append(photo)
    answers, day = {}, 0
    for (place, is_landmark), photos in sorted(by_place.items()):
        rng.shuffle(photos)
        for start in range(0, len(photos), TRIP):
            day += 1
            date = f"2019:{1 + day // 28 % 12:02}:{1 + day % 28:02}" if day < 336 else f"20{20 + day // 336}:{1 + day // 28 % 12:02}:{1 + day % 28:02}"
            camera = f"Camera {day % 3}"
            has_neighbour = with_trips and rng.random() < 0.5
            home = HOME if not is_landmark else (NAMES[key(place)]["latitude"], NAMES[key(place)]["longitude"])
            for index, photo in enumerate(photos[start : start + TRIP]):
                name = f"{day:04}/{index}.jpg"
                block = exif(f"{date} {10 + index // 3:02}:{index % 3 * 20:02}:00", camera, None) if with_trips else None
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(tagged(photo.read_bytes(), block))
                answers[name] = place if is_landmark else None
            if has_neighbour:
                block = exif(f"{date} 09:30:00", camera, home)
                neighbour = DATA / "distractors/calibration"
                photo = sorted(neighbour.rglob("*.jpg"))[day % 60]
                (root / f"{day:04}/neighbour.jpg").write_bytes(tagged(photo.read_bytes(), block))
                answers[f"{day:04}/neighbour.jpg"] = None
    return answers


def measure(state, root, answers):
    run = [CAIRN, "library", "scan", root, "--state", state]
    subprocess.run(run, check=True, capture_output=True)
    figures = {}
    for bound in BOUNDS:
        run = [CAIRN, "library", "export", "--format", "csv", "--state", state, "--library", root, "--max-wrong", bound]
        rows = csv.DictReader(io.StringIO(subprocess.run(run, check=True, capture_output=True, text=True).stdout))
        rows = [row for row in rows if row["marked"] == "true"]
        right = sum(row["landmark"] == answers[row["photo"]] for row in rows)
        expected = sum(1 - float(row["probability"]) for row in rows)
        figures[bound] = (len(rows), right, expected)
    return figures


def main():
    known, other = landmarks(), others()
    print(f"{len(known)} photos of landmarks, {len(other)} of other things")
    print("others a landmark | trips | bound | marks | wrong | wrong expected | share wrong | landmarks found")
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        for ratio, draws in DRAWS.items():
            for with_trips in [False, True]:
                total, photos = {bound: [0, 0, 0.0] for bound in BOUNDS}, 0
                for draw in range(draws):
                    rng = random.Random(f"{ratio} {draw}")
                    # Whole trips of each landmark, so that trips have their four photos.
                    places = {}
                    for photo, place in known:
                        places.setdefault(place, []).append(photo)
                    trips = []
                    for place, all_photos in sorted(places.items()):
                        rng.shuffle(all_photos)
                        trips += [(place, all_photos[at : at + TRIP]) for at in range(0, len(all_photos) - TRIP + 1, TRIP)]
                    rng.shuffle(trips)
                    count = len(other) // ratio // TRIP
                    chosen = [(photo, place, True) for place, photos_ in trips[:count] for photo in photos_]
                    chosen += [(photo, place, False) for photo, place in other]
                    root = Path(folder) / f"{ratio}-{with_trips}-{draw}"
                    answers = write_library(root, chosen, rng, with_trips)
                    photos += sum(answer is not None for answer in answers.values())
                    for bound, figures in measure(state, root, answers).items():
                        total[bound] = [one + more for one, more in zip(total[bound], figures)]
                    shutil.rmtree(root)
                for bound, (marks, right, expected) in total.items():
                    wrong = marks - right
                    share = f"{wrong / marks:.2%}" if marks else "-"
                    print(f"{ratio} | {'yes' if with_trips else 'no'} | {bound} | {marks} | {wrong} | {expected:.1f} | {share} | "
                          f"{right / photos:.1%} ({right}/{photos})", flush=True)


main()
