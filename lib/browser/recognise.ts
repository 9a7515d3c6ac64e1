/** What a file is that the user has dropped, by its content. */
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";
import { SafetensorsFile } from "../tensor/safetensors.ts";
import { BlobSource } from "./blob-source.ts";

/** A file that the page can open. */
export type Recognised =
  | { readonly kind: "image" }
  /** Written by `clipscope trace`. */
  | { readonly kind: "trace"; readonly store: SafetensorsFile }
  /** The reference's activations. */
  | { readonly kind: "golden"; readonly store: SafetensorsFile }
  | { readonly kind: "features" }
  | { readonly kind: "probe" }
  /** Printed by `clipscope verify --json`. */
  | { readonly kind: "report"; readonly json: JsonValue };

const expected =
  "expected an image, a trace, golden, features or probe file (safetensors), a report of verify --json, or a model directory";

/** Larger JSON files are not reports; those of a ViT-H have 130 kB. In bytes. */
const largestReport = 2 ** 24;

const imageEndings = /\.(jpe?g|png|webp|gif|tiff?|bmp|avif|hei[cf]|jxl|svg)$/i;

/**
 * Reads the beginning of a file. Image files are recognised by their names only; reading them says whether they are
 * damaged.
 *
 * @throws InputError for a damaged file, and for one that the page cannot open
 */
export async function recognise(name: string, blob: Blob): Promise<Recognised> {
  if (imageEndings.test(name) || blob.type.startsWith("image/")) return { kind: "image" };
  const head = new Uint8Array(await blob.slice(0, 9).arrayBuffer());
  if (name.endsWith(".safetensors") || head[8] === 0x7b) return recogniseTensors(name, blob);
  if (head[0] === 0x7b || name.endsWith(".json")) return recogniseJson(name, blob);
  throw new InputError(`${name}: ${expected}`);
}

async function recogniseTensors(name: string, blob: Blob): Promise<Recognised> {
  const store = await SafetensorsFile.open(new BlobSource(name, blob));
  const { tensors, metadata } = store;
  if (tensors.has("features")) return { kind: "features" };
  if (tensors.has("weight") && tensors.has("bias") && tensors.size === 2) return { kind: "probe" };
  if (tensors.has("logit_scale")) {
    throw new InputError(
      `${name}: expected activations, found weights; drop the model directory that holds the file`,
    );
  }
  const names = [...tensors.keys()];
  if (metadata["clipscope"] !== undefined) return { kind: "trace", store };
  const hasInputs = names.some((one) => one.startsWith("input.")) || metadata["image_shape"] !== undefined;
  if (hasInputs && names.length > 1) return { kind: "golden", store };
  throw new InputError(`${name}: ${expected}; found tensors of other names: ${names.slice(0, 3).join(", ")}`);
}

async function recogniseJson(name: string, blob: Blob): Promise<Recognised> {
  if (blob.size > largestReport)
    throw new InputError(`${name}: ${expected}; found ${blob.size} bytes of JSON`);
  const json = JsonValue.parse(new Uint8Array(await blob.arrayBuffer()), name);
  const value = json.object();
  if ("taps" in value && "worst" in value && "passed" in value) return { kind: "report", json };
  throw new InputError(`${name}: ${expected}; found other JSON`);
}
