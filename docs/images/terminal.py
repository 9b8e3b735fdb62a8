"""Turns what a terminal shows, with its colour codes, into an SVG picture.

This made demo.svg, the picture in README.md, from the end of a real `cairn demo`:

    tmux new-session -d -s picture -x 90 -y 100 'COLORTERM=truecolor cairn demo; sleep 600'
    tmux capture-pane -p -e -t picture | sed -n '/^testing it/,/^report/p' | python3 docs/images/terminal.py > demo.svg
"""

import re
import sys
from html import escape

CELL, LINE, FONT = 8, 17, 13.2  # pixels: a character's width, a line's height, the letters
MARGIN = 16
PAPER, INK = "#161b22", "#e6edf3"
LOWER_HALF = "▄"


def xterm_colour(number):
    """The 256 colours of xterm; the first 16 are left to the terminal and not needed here."""
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    level = [0, 95, 135, 175, 215, 255]
    cube = number - 16
    return "#" + "".join(f"{level[cube // step % 6]:02x}" for step in (36, 6, 1))


def colours(code, ink, paper):
    """The colours after one `ESC [ ... m`."""
    fields = [int(field or 0) for field in re.split("[;:]", code)]
    while fields:
        field = fields.pop(0)
        if field in (38, 48):
            kind = fields.pop(0)
            if kind == 2:
                colour = "#" + "".join(f"{fields.pop(0):02x}" for _ in range(3))
            else:
                colour = xterm_colour(fields.pop(0))
            ink, paper = (colour, paper) if field == 38 else (ink, colour)
        elif field in (0, 39, 49):
            ink = None if field in (0, 39) else ink
            paper = None if field in (0, 49) else paper
    return ink, paper


def cells(lines):
    """(column, row, character, ink, paper) of every cell; colours carry over from line to line."""
    ink = paper = None
    for row, line in enumerate(lines):
        column = 0
        for code, character in re.findall(r"\x1b\[([\d;:]*)m|([^\x1b])", line):
            if character:
                yield column, row, character, ink, paper
                column += 1
            else:
                ink, paper = colours(code, ink, paper)


def blocks(row):
    """The row's half blocks as rectangles, equal neighbours in one."""
    for half, colour_of in enumerate((lambda cell: cell[4], lambda cell: cell[3])):
        run = []
        for cell in [c for c in row if c[2] == LOWER_HALF] + [None]:
            if run and (cell is None or colour_of(cell) != colour_of(run[0]) or cell[0] != run[-1][0] + 1):
                x, y = MARGIN + run[0][0] * CELL, MARGIN + run[0][1] * LINE + half * LINE / 2
                yield f'<rect x="{x}" y="{y}" width="{len(run) * CELL}" height="{LINE / 2}" fill="{colour_of(run[0])}"/>'
                run = []
            if cell:
                run.append(cell)


def words(row):
    """The row's text; every run of words is held to the width that it has in a terminal."""
    text = "".join(" " if cell[2] == LOWER_HALF else cell[2] for cell in row)
    for match in re.finditer(r"\S+( \S+)*", text):
        x, y = MARGIN + match.start() * CELL, MARGIN + row[0][1] * LINE + 12.5
        length = len(match.group()) * CELL
        yield f'<text x="{x}" y="{y}" textLength="{length}" lengthAdjust="spacingAndGlyphs">{escape(match.group())}</text>'


def main():
    lines = sys.stdin.read().rstrip().split("\n")
    rows = {}
    for cell in cells(lines):
        rows.setdefault(cell[1], []).append(cell)
    columns = max(len(row) for row in rows.values())
    width, height = 2 * MARGIN + columns * CELL, 2 * MARGIN + len(lines) * LINE
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="{FONT}"')
    print("  font-family=\"ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace\">")
    print(f'<rect width="{width}" height="{height}" rx="8" fill="{PAPER}"/>')
    print('<g shape-rendering="crispEdges">', *(r for row in rows.values() for r in blocks(row)), "</g>", sep="\n")
    print(f'<g fill="{INK}">', *(w for row in rows.values() for w in words(row)), "</g>", "</svg>", sep="\n")


main()
