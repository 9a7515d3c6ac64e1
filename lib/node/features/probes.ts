/** Probe files by path, and probes on image files. */
import type { Clip } from "../../clip/clip.ts";
import type { LabelledImages } from "../../features/labelled-images.ts";
import {
  probeLayers as probeLayersOnHost,
  type LayerFigures,
  type LayersOptions,
} from "../../probe/layers.ts";
import {
  imageProbabilities as probabilitiesOnHost,
  predictImages as predictOnHost,
  type Prediction,
  type PredictOptions,
  type ProbabilityBlock,
} from "../../probe/predict.ts";
import type { Probe } from "../../probe/probe.ts";
import { decodeProbe, encodeProbe } from "../../probe/probe-file.ts";
import type { Split } from "../../probe/split-images.ts";
import type { ImageInput } from "../../tasks/image-source.ts";
import type { ClassScore } from "../../tasks/zero-shot.ts";
import { FileSource } from "../files/file-source.ts";
import type { Output } from "../files/reserve-output.ts";
import { writeWhole } from "../files/write-file.ts";
import { nodeHost } from "../host.ts";

/** Reads a probe file. @throws InputError as `decodeProbe`, and if the file cannot be read */
export async function openProbe(path: string): Promise<Probe> {
  return decodeProbe(await FileSource.open(path));
}

/** Writes a probe file, whole or not at all. @throws InputError if it cannot be written */
export function saveProbe(probe: Probe, output: Output): Promise<void> {
  return writeWhole(output, [encodeProbe(probe)]);
}

/** Classifies image files, batch by batch, in their order. @throws InputError as `predictImages` in lib/probe */
export function predictImages(
  model: Clip,
  probe: Probe,
  images: readonly ImageInput[],
  options: PredictOptions = {},
): AsyncGenerator<Prediction[], void, undefined> {
  return predictOnHost(nodeHost, model, probe, images, options);
}

/** As `predictImages`, with the probabilities of all classes in the probe's order. @throws InputError as there */
export function imageProbabilities(
  model: Clip,
  probe: Probe,
  images: readonly ImageInput[],
  options: PredictOptions = {},
): AsyncGenerator<ProbabilityBlock, void, undefined> {
  return probabilitiesOnHost(nodeHost, model, probe, images, options);
}

/** Classifies one image file: the classes, best first. @throws InputError as `predictImages` */
export async function predictImage(model: Clip, probe: Probe, image: ImageInput): Promise<ClassScore[]> {
  for await (const [prediction] of predictImages(model, probe, [image])) return prediction!.scores;
  throw new Error(`${JSON.stringify(image)} gave no batch`);
}

/** Fits and evaluates a probe for each layer; see `probeLayers` in lib/probe. */
export function probeLayers(
  model: Clip,
  images: Readonly<Record<Split, LabelledImages>>,
  folder: string,
  options: LayersOptions,
): Promise<LayerFigures[]> {
  return probeLayersOnHost(nodeHost, model, images, folder, options);
}
