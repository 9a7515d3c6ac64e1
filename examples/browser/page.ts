/** Zero-shot classification in a browser, on wasm, with the demo model: see serve.ts. */
import { setBackend, tensor4d } from "@tensorflow/tfjs-core";
import { getThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import {
  Clip,
  createTokenizer,
  parseClipConfig,
  parsePreprocessConfig,
  preprocessImage,
  type ImageCodecs,
} from "../../lib/clip/index.ts";
import { zeroShotClassifier } from "../../lib/tasks/zero-shot.ts";
import { guardWasmMemory, registerWasmKernels, SafetensorsFile } from "../../lib/tensor/index.ts";

const folder = "/fixtures/demo-model";

async function fetched(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(`${folder}/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function fetchedJson(path: string): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await fetched(path)));
}

async function loadModel(): Promise<Clip> {
  const { model_cfg, preprocess_cfg } = (await fetchedJson("open_clip_config.json")) as Record<
    string,
    unknown
  >;
  const config = await parseClipConfig(model_cfg, "open_clip_config.json", async (text) => ({
    json: await fetchedJson(`${text}/config.json`),
    path: `${text}/config.json`,
  }));
  const bytes = await fetched("open_clip_model.safetensors");
  const store = await SafetensorsFile.open({
    name: "open_clip_model.safetensors",
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    close: () => Promise.resolve(),
  });
  return new Clip({
    config,
    store,
    preprocess: parsePreprocessConfig(preprocess_cfg, config.vision.imageSize, "open_clip_config.json"),
    loadTokenizer: async () =>
      createTokenizer(
        { name: "tokenizer.json", bytes: await fetched("tokenizer.json") },
        { contextLength: config.text.contextLength },
      ),
    residency: "resident",
  });
}

/** The library decodes most formats itself; inflating, JPEG and WebP are the browser's. */
const codecs: ImageCodecs = {
  inflate: async (bytes) => {
    const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  },
  jpeg: drawn,
  webp: drawn,
};

async function drawn(bytes: Uint8Array): Promise<ImageData> {
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

const image = document.querySelector<HTMLInputElement>("#image")!;
const labels = document.querySelector<HTMLTextAreaElement>("#labels")!;
const answer = document.querySelector("#answer")!;

setWasmPaths("/node_modules/@tensorflow/tfjs-backend-wasm/dist/");
registerWasmKernels();
await setBackend("wasm");
guardWasmMemory();
const model = await loadModel();
const preprocess = preprocessImage(model.preprocess, codecs);

async function classify(bytes: Uint8Array, name: string): Promise<void> {
  const start = performance.now();
  const classifier = await zeroShotClassifier(
    model,
    labels.value.split("\n").filter((line) => line.trim()),
  );
  const pixels = tensor4d(await preprocess(bytes, name), [1, 3, ...model.preprocess.size]);
  const features = await model.encodeImage(pixels, { normalize: true });
  const [scores = []] = await classifier.scores(features);
  for (const used of [classifier, pixels, features]) used.dispose();
  const rows = scores.map(
    ({ label, probability }) => `${(100 * probability).toFixed(1).padStart(5)}% ${label}`,
  );
  const time = (performance.now() - start).toFixed(0);
  answer.textContent = [name, ...rows, "", `${time} ms, threads: ${getThreadsCount()}`].join("\n");
}

async function shown(): Promise<void> {
  const file = image.files?.[0];
  try {
    if (file) await classify(new Uint8Array(await file.arrayBuffer()), file.name);
    else await classify(await fetched("samples/two-red-circles.png"), "two-red-circles.png");
  } catch (error) {
    answer.textContent = String(error);
  }
}

labels.value = "two red circles\na blue square\ndue stelle verdi";
image.addEventListener("change", () => void shown());
labels.addEventListener("change", () => void shown());
await shown();
