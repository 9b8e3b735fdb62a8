"""Runs a program on a terminal of its own, closes the terminal once a file is there, and prints the exit status.

Usage: closed_terminal.py FILE PROGRAM ARGUMENT...   (standard library only; Python 3.9 or newer)
"""
import os
import pty
import sys
import time

file, program = sys.argv[1], sys.argv[2:]
process, terminal = pty.fork()
if process == 0:
    os.execv(program[0], program)
os.set_blocking(terminal, False)
while not os.path.exists(file):
    try:
        os.read(terminal, 65536)
    except BlockingIOError:
        time.sleep(0.01)
os.close(terminal)
for _ in range(45000):
    ended, status = os.waitpid(process, os.WNOHANG)
    if ended:
        print(os.waitstatus_to_exitcode(status))
        break
    time.sleep(0.02)
else:
    os.kill(process, 9)
    print("it does not end")
