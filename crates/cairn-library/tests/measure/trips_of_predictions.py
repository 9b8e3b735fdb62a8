"""How right marks are in the libraries of `made_libraries.py`, computed from the photos' predictions alone.

Run:  find DATA/landmarks/test -type f | sort | cairn predict --files-from - --format jsonl > known.jsonl
      find DATA/more/test DATA/distractors/test DATA/more/distractors/test -type f | sort | cairn predict ... > other.jsonl
      find DATA/distractors/calibration -type f | sort | cairn predict ... > neighbours.jsonl
      python3 crates/cairn-library/tests/measure/trips_of_predictions.py known.jsonl other.jsonl neighbours.jsonl

No library is written or scanned: the script does again what `evidence` does, so that it takes seconds. Its libraries lack the
originals in `photos`, and draw others than `made_libraries.py`. Needs Python 3.11 and nothing else.
"""

import json, math, random, re, sys, tomllib, unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACES = tomllib.loads((HERE / "../../../cairn-places/places.toml").read_text())["place"]
HOME = (48.21, 16.37)
TRIP, DRAWS = 4, {5: 8, 20: 24}
BOUNDS = [1 / 200, 1 / 100, 1 / 50, 1 / 20]
# The shipped model's thresholds, and `evidence/rightness.rs`.
THRESHOLD, SURE = 0.015377, 0.144269
# Those of the model of 32 landmarks, with which the figures of docs/results.md were made.
INTERCEPT, SLOPE, CURVATURE, MOST = -1.488, 0.105, 0.672, 7.0
# The weight of a trip in `evidence/assess.rs` and `evidence/timeline.rs`, and the one before: factor, most photos, at most.
WEIGHTS = {"now": (0.5, 2, 6.0), "before": (0.5, 1000, 3.0)}


def key(name):
    name = unicodedata.normalize("NFKD", re.sub(r"^\d+\.", "", name)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", name.lower().removeprefix("the "))


NAMES = {key(name): place for place in PLACES for name in [place["name"], *place.get("also", [])]}


def photos(path):
    """Folder, score, probability and likeliest landmark of each photo."""
    rows = [json.loads(line) for line in open(path)]
    best = [(row, row["landmarks"][0]) for row in rows if row.get("landmarks")]
    return [(Path(row["photo"]).parent.name, row["landmark_score"], first["probability"], first["name"]) for row, first in best]


def log_ratio(score):
    units = (score - THRESHOLD) / (SURE - THRESHOLD)
    return min(INTERCEPT + SLOPE * units + CURVATURE * max(units, 0) ** 2, MOST)


def probability(log_odds):
    return 1 / (1 + math.exp(-log_odds))


def log_odds(share):
    return math.log(share / (1 - share))


def kilometres(one, other):
    a, b, c, d = map(math.radians, (*one, *other))
    return 12742 * math.asin(math.sqrt(math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2))


def library(chosen, neighbours, rng, with_trips):
    """Photos with what is true of them, their trip, where its neighbour was, and the hours since."""
    by_place, found, day = {}, [], 0
    for photo, place, is_landmark in chosen:
        by_place.setdefault((place, is_landmark), []).append(photo)
    for (place, is_landmark), of_place in sorted(by_place.items()):
        rng.shuffle(of_place)
        for start in range(0, len(of_place), TRIP):
            day += 1
            has_neighbour = with_trips and rng.random() < 0.5
            home = (NAMES[key(place)]["latitude"], NAMES[key(place)]["longitude"]) if is_landmark else HOME
            for index, photo in enumerate(of_place[start : start + TRIP]):
                trip = day if with_trips else None
                found.append((photo, place if is_landmark else None, trip, home if has_neighbour else None, 0.5 + index / 3))
            if has_neighbour:
                found.append((neighbours[day % len(neighbours)], None, None, None, 0))
    return found


def share_of_landmarks(ratios):
    share = 0.02
    for _ in range(500):
        odds = log_odds(share)
        expected = sum(probability(ratio + odds) for ratio in ratios if ratio > -math.inf)
        share, before = (expected + 1) / (len(ratios) + 50), share
        if abs(share - before) < 1e-6:
            break
    return share


def assessed(found, weight):
    """Probability, landmark and whether it is right, of each candidate."""
    factor, most, limit = weight
    named = [(photo, *rest) for photo, *rest in found]
    share = share_of_landmarks([log_ratio(p[1]) if p[2] > 0.5 else -math.inf for p, *_ in named])
    candidates = [(index, *row) for index, row in enumerate(named) if row[0][2] > 0.5 and row[0][1] >= THRESHOLD]
    trips = {}
    for index, photo, _, trip, _, _ in candidates:
        if trip is not None:
            trips.setdefault((trip, photo[3]), []).append((index, log_ratio(photo[1])))
    for index, photo, true, trip, home, hours in candidates:
        prior, place = log_odds(share), NAMES.get(key(photo[3]))
        if home and place:
            travelled = max(0, kilometres((place["latitude"], place["longitude"]), home) - place.get("visible_from_km", 5))
            if travelled > 50 + 900 * hours:
                continue
            if hours <= 2 and travelled <= 50:
                prior = max(prior, math.log(2 / 3))
        others = sorted((max(0, ratio) for other, ratio in trips.get((trip, photo[3]), []) if other != index), reverse=True)
        yield probability(log_ratio(photo[1]) + prior + min(factor * sum(others[:most]), limit)), photo[3], photo[3] == true


def marked(rows, bound):
    """Marks, wrong ones, and wrong ones as expected."""
    by_landmark, marks, wrong, expected = {}, 0, 0, 0.0
    for row in rows:
        by_landmark.setdefault(row[1], []).append(row)
    for of_landmark in by_landmark.values():
        of_landmark.sort(key=lambda row: -row[0])
        total, count = 0.0, 0
        for index, row in enumerate(of_landmark):
            total += 1 - row[0]
            if total > bound * (index + 1):
                break
            count = index + 1
        marks += count
        wrong += sum(not row[2] for row in of_landmark[:count])
        expected += sum(1 - row[0] for row in of_landmark[:count])
    return marks, wrong, expected


def main():
    known, other, neighbours = (photos(path) for path in sys.argv[1:4])
    known = [(photo, NAMES[key(photo[0])]["name"]) for photo in known]
    print("others a landmark | trips | weight | bound | marks | wrong | wrong expected | landmarks found")
    for ratio, draws in DRAWS.items():
        for with_trips in [False, True]:
            for name, weight in WEIGHTS.items() if with_trips else [("-", WEIGHTS["now"])]:
                totals, count = {bound: (0, 0, 0.0) for bound in BOUNDS}, 0
                for draw in range(draws):
                    rng, places, trips = random.Random(f"{ratio} {draw}"), {}, []
                    for photo, place in known:
                        places.setdefault(place, []).append(photo)
                    for place, of_place in sorted(places.items()):
                        rng.shuffle(of_place)
                        trips += [(place, of_place[at : at + TRIP]) for at in range(0, len(of_place) - TRIP + 1, TRIP)]
                    rng.shuffle(trips)
                    chosen = [(photo, place, True) for place, trip in trips[: len(other) // ratio // TRIP] for photo in trip]
                    chosen += [(photo, photo[0], False) for photo in other]
                    found = library(chosen, neighbours, rng, with_trips)
                    count += sum(row[1] is not None for row in found)
                    rows = list(assessed(found, weight))
                    for bound in BOUNDS:
                        totals[bound] = tuple(map(sum, zip(totals[bound], marked(rows, bound))))
                for bound, (marks, wrong, expected) in totals.items():
                    found = (marks - wrong) / count
                    print(f"{ratio} | {'yes' if with_trips else 'no'} | {name} | 1/{1 / bound:.0f} | {marks} | {wrong} | {expected:.1f} | {found:.1%} of {count}", flush=True)


main()
