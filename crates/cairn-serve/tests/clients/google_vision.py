"""Asks a server for the landmarks in photos by Google's client (google-cloud-vision 3.16.0) over REST, and prints what it got.

    python google_vision.py URL KEY PHOTO...

KEY is the client's API key, unless it is empty. One photo is asked for by `landmark_detection`, several by
`batch_annotate_images`; the last request of a batch asks for faces alone.
"""

import json
import sys

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import vision

url, key, *photos = sys.argv[1:]
who = {"client_options": ClientOptions(api_endpoint=url, api_key=key)} if key else {
    "client_options": ClientOptions(api_endpoint=url), "credentials": AnonymousCredentials()}
client = vision.ImageAnnotatorClient(transport="rest", **who)


def printed(response):
    if response.error.code:
        return {"code": response.error.code, "message": response.error.message}
    return {"landmarks": [{
        "name": landmark.description,
        "score": landmark.score,
        "mid": landmark.mid,
        "corners": [[corner.x, corner.y] for corner in landmark.bounding_poly.vertices],
        "places": [[place.lat_lng.latitude, place.lat_lng.longitude] for place in landmark.locations],
    } for landmark in response.landmark_annotations]}


images = [vision.Image(content=open(photo, "rb").read()) for photo in photos]
# Without retries: an overload is to be seen.
call = {"retry": None, "timeout": 120}
try:
    if len(images) == 1:
        print(json.dumps([printed(client.landmark_detection(image=images[0], **call))]))
    else:
        landmarks = vision.Feature(type_=vision.Feature.Type.LANDMARK_DETECTION, max_results=1)
        faces = vision.Feature(type_=vision.Feature.Type.FACE_DETECTION)
        requests = [vision.AnnotateImageRequest(image=image, features=[landmarks]) for image in images]
        requests.append(vision.AnnotateImageRequest(image=images[0], features=[faces]))
        requests.append(vision.AnnotateImageRequest(
            image=vision.Image(source=vision.ImageSource(image_uri="https://photos.example.org/a.jpg")),
            features=[landmarks]))
        answer = client.batch_annotate_images(requests=requests, **call)
        print(json.dumps([printed(response) for response in answer.responses]))
except GoogleAPICallError as error:
    print(json.dumps({"status": error.code, "kind": type(error).__name__, "message": error.message}))
