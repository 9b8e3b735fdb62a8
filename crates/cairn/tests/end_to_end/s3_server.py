"""An S3 server on a free port of this machine, with a bucket `photos`; it ends with its standard input.

Prints its address, and then answers lines of input:

    put NAME FILE   uploads a file
    get NAME FILE   downloads one
    list            prints the names of all objects, in a line of JSON

Ran with moto 5.1 (`pip install moto[server,s3]`).
"""

import json
import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://{host}:{port}"
s3 = boto3.client("s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
s3.create_bucket(Bucket="photos")
print(address, flush=True)
for line in sys.stdin:
    match line.split():
        case ["put", name, file]:
            s3.upload_file(file, "photos", name)
            print("done", flush=True)
        case ["get", name, file]:
            s3.download_file("photos", name, file)
            print("done", flush=True)
        case ["list"]:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket="photos")
            print(json.dumps([object["Key"] for page in pages for object in page.get("Contents", [])]), flush=True)
server.stop()
