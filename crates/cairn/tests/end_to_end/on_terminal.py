"""Runs a command of the shell on a terminal of its own, and prints what is written to that terminal.

Usage: on_terminal.py FOLDER COMMAND   (standard library only; Python 3.9 or newer)
"""
import os
import pty
import sys

folder, command = sys.argv[1:]
process, terminal = pty.fork()
if process == 0:
    os.chdir(folder)
    os.execv("/bin/sh", ["sh", "-c", command])
written = b""
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    written += piece
os.waitpid(process, 0)
print(ascii(written.decode(errors="replace")))
