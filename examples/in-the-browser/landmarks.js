// Names the landmark in a photo with ONNX Runtime for the web. Everything that a model needs is in `model.onnx`: resizing,
// normalisation, its views, calibration, and the names.

import * as ort from "./onnxruntime-web/ort.wasm.min.mjs";

// Several threads need headers that a plain file server does not send.
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
// The model resizes by itself, as it was trained. A photo that is shrunk before loses a few thousandths; a larger one would take
// gigabytes.
const MOST_SIDE = 5000;
const find = (id) => document.getElementById(id);

// `class_names` of the model's metadata, which the runtime does not show: a key and a value of protocol buffers, each with
// its length before it.
function classNames(model) {
  const key = new TextEncoder().encode("class_names");
  const at = model.findLastIndex((_, start) => key.every((byte, i) => model[start + i] === byte)) + key.length;
  let [length, shift, index] = [0, 0, at + 1];
  for (let more = true; more; index += 1, shift += 7) {
    length |= (model[index] & 127) << shift;
    more = model[index] > 127;
  }
  return JSON.parse(new TextDecoder().decode(model.subarray(index, index + length)));
}

// The photo's levels as `[1, 3, height, width]`, upright, laid on white.
async function tensor(file) {
  // Colours as they are in the file: so the model learned them.
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
  const scale = Math.min(1, MOST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const area = width * height;
  const levels = new Uint8Array(3 * area);
  for (let pixel = 0; pixel < area; pixel += 1)
    for (let channel = 0; channel < 3; channel += 1) levels[channel * area + pixel] = data[4 * pixel + channel];
  return new ort.Tensor("uint8", levels, [1, 3, height, width]);
}

const model = new Uint8Array(await (await fetch("model.onnx")).arrayBuffer());
const names = classNames(model);
const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
find("state").textContent = `It knows ${names.length} landmarks.`;
find("photo").disabled = false;

find("photo").addEventListener("change", async () => {
  const [file] = find("photo").files;
  if (!file) return;
  find("state").textContent = "Looking …";
  find("shown").src = URL.createObjectURL(file);
  find("shown").hidden = false;
  const started = performance.now();
  const { probabilities } = await session.run({ photo: await tensor(file) });
  const ranked = [...probabilities.data].map((probability, index) => ({ name: names[index], probability }));
  ranked.sort((a, b) => b.probability - a.probability);
  find("names").replaceChildren(
    ...ranked.slice(0, 3).map(({ name, probability }) => {
      const line = document.createElement("li");
      line.textContent = `${name}: ${(100 * probability).toFixed(1)} %`;
      line.dataset.probability = probability;
      line.dataset.name = name;
      return line;
    }),
  );
  find("state").textContent = `Done in ${Math.round(performance.now() - started)} ms.`;
});
