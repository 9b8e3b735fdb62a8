"""Writes `land.path`: the land of the world as the data of one SVG path.

    npm install --no-save world-atlas@2.0.2
    python3 land.py node_modules/world-atlas/land-110m.json > land.path

The outlines are Natural Earth's 1:110m land, which is in the public domain (https://www.naturalearthdata.com), in the
TopoJSON of the npm package world-atlas 2.0.2. Needs Python 3.9 and nothing else.

The path's units are tenths of a degree of longitude, counted east and south from 180 W, 90 N; the projection is Miller's,
as in `src/projection.rs`. Antarctica is left out: it would take a fifth of the picture.
"""

import json
import math
import sys

# Points nearer to the line that the others draw are left out, in units of the path.
TOLERANCE = 1.5
# Smaller islands are left out, in square units of the path.
SMALLEST_ISLAND = 60.0
# Rings that reach this latitude are Antarctica's.
SOUTHERN_END = -60.0


def miller(longitude, latitude):
    """The place on the map, in units of the path."""
    def height(degrees):
        return math.degrees(1.25 * math.log(math.tan(math.pi / 4 + 0.4 * math.radians(degrees))))
    return (longitude + 180) * 10, (height(90) - height(latitude)) * 10


def arcs_of(topology):
    """The arcs in degrees: TopoJSON holds differences on a grid."""
    (scale_x, scale_y), (shift_x, shift_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale_x + shift_x, y * scale_y + shift_y))
        yield points


def rings_of(topology):
    """All rings, each a list of longitudes and latitudes without the first one's repetition."""
    arcs = list(arcs_of(topology))
    for geometry in topology["objects"]["land"]["geometries"]:
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for polygon in polygons:
            for ring in polygon:
                points = []
                for index in ring:
                    arc = arcs[index] if index >= 0 else arcs[~index][::-1]
                    points += arc[1:] if points else arc
                yield points[:-1]


def within_the_map(ring):
    """The ring without jumps at 180 degrees: cut there, and what is beyond it moved to the other side."""
    points = ring[:1]
    for longitude, latitude in ring[1:]:
        points.append((longitude - 360 * round((longitude - points[-1][0]) / 360), latitude))
    for turn in (-1, 0, 1):
        moved = [(longitude + 360 * turn, latitude) for longitude, latitude in points]
        part = cut(cut(moved, -180, 1), 180, -1)
        if len(part) > 2:
            yield part


def cut(points, longitude, side):
    """Sutherland and Hodgman: the part of a ring to the east (side 1) or the west (side -1) of a longitude."""
    def inside(point):
        return side * (point[0] - longitude) >= 0

    part = []
    for (ax, ay), (bx, by) in zip(points[-1:] + points[:-1], points):
        if inside((ax, ay)) != inside((bx, by)):
            part.append((longitude, ay + (by - ay) * (longitude - ax) / (bx - ax)))
        if inside((bx, by)):
            part.append((bx, by))
    return part


def simplified(points):
    """Douglas and Peucker: the ends, and where a point is too far from the line between them, that point and so on."""
    if len(points) < 3:
        return points
    (ax, ay), (bx, by) = points[0], points[-1]
    length = math.hypot(bx - ax, by - ay)

    def distance(point):
        if length == 0:
            return math.hypot(point[0] - ax, point[1] - ay)
        return abs((bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)) / length

    farthest = max(range(1, len(points) - 1), key=lambda i: distance(points[i]))
    if distance(points[farthest]) < TOLERANCE:
        return [points[0], points[-1]]
    return simplified(points[: farthest + 1])[:-1] + simplified(points[farthest:])


def area(points):
    """The area that a ring encloses."""
    following = points[1:] + points[:1]
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(points, following))) / 2


def path_of(points):
    """A ring as a path of whole numbers: the first point, then the steps."""
    points = [(round(x), round(y)) for x, y in points]
    steps = [(bx - ax, by - ay) for (ax, ay), (bx, by) in zip(points, points[1:])]
    numbers = [f"{x},{y}" for x, y in steps if (x, y) != (0, 0)]
    return f"M{points[0][0]},{points[0][1]}l" + " ".join(numbers).replace(",-", "-").replace(" -", "-") + "z"


def main():
    topology = json.load(open(sys.argv[1], encoding="utf-8"))
    paths = []
    for ring in rings_of(topology):
        if min(latitude for _, latitude in ring) < SOUTHERN_END:
            continue
        for part in within_the_map(ring):
            points = [miller(*point) for point in part]
            if area(points) < SMALLEST_ISLAND:
                continue
            # A ring has no ends: its first point and the one farthest from it are as good as any.
            middle = max(range(len(points)), key=lambda i: math.dist(points[0], points[i]))
            outline = simplified(points[: middle + 1])[:-1] + simplified(points[middle:] + points[:1])[:-1]
            if len(outline) > 2:
                paths.append(path_of(outline))
    print("".join(paths))


main()
