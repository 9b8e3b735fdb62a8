"""Azurite's blob service, with a container named `container`: prints its port, and serves until standard input ends.

    azure_server.py FOLDER-OF-AZURITE
"""

import base64
import datetime
import hashlib
import hmac
import re
import subprocess
import sys
import urllib.request

ACCOUNT = "devstoreaccount1"
# The key that everyone has who emulates this store.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

program = ["node", f"{sys.argv[1]}/dist/src/blob/main.js", "--blobHost", "127.0.0.1", "--blobPort", "0"]
program += ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
azurite = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
said = ""
port = None
for line in azurite.stdout:
    said += line
    if found := re.search(r"listen\w* (?:at|on) http://127\.0\.0\.1:(\d+)", line):
        port = int(found[1])
        break
if port is None:
    sys.exit(f"Azurite does not start: {said}")

version = "2021-08-06"
date = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
headers = f"x-ms-date:{date}\nx-ms-version:{version}\n"
# Path-style addresses have the account twice.
signed = "PUT" + "\n" * 12 + headers + f"/{ACCOUNT}/{ACCOUNT}/container\nrestype:container"
signature = hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest()
request = urllib.request.Request(
    f"http://127.0.0.1:{port}/{ACCOUNT}/container?restype=container",
    method="PUT",
    headers={
        "x-ms-date": date,
        "x-ms-version": version,
        "Content-Length": "0",
        "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}",
    },
)
try:
    urllib.request.urlopen(request).read()
    print(port, flush=True)
    sys.stdin.read()
finally:
    azurite.terminate()
    azurite.wait()
