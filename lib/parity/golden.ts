/**
 * A golden file: the inputs and every module's output of one forward pass of the reference, as safetensors.
 *
 * `input.image` F32 [B, 3, H, W], `input.text` I64 [T, L] (padded ids), then a tensor per tap, F32, in PyTorch's
 * layout. A golden of one tower lacks the other's input. `tools/golden/golden.py` writes goldens, with this metadata:
 * - the reference's versions and the command;
 * - `float32_error`: JSON, tap → relative L2 of PyTorch's own float32 run. The taps then hold the float64 run's values.
 * - `bfloat16_error`: the same of PyTorch's run in pure bfloat16 (tools/golden/bfloat16.py);
 * - `samples`: each tap holds only its norm, its mean, and this many values at the positions of `samplePositions`;
 * - `arch`, `weights` "synthetic" and `image_shape` (JSON): weights and pixels are those of lib/tensor/synthetic.ts.
 */
import { tensor4d, type Tensor4D } from "@tensorflow/tfjs-core";
import { elementCount, toFloat32, toIntegers, weightDtypes } from "../tensor/dtype.ts";
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";
import { SafetensorsFile } from "../tensor/safetensors.ts";
import { tensorInfo, type SyncByteSource, type TensorInfo } from "../tensor/store.ts";
import { syntheticValues } from "../tensor/synthetic.ts";

const imageInput = "input.image";
const textInput = "input.text";

/** A golden whose header is validated. A tap's values are read on demand. */
export class Golden {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Shapes of the taps by name, in the file's order. */
  readonly taps: ReadonlyMap<string, readonly number[]>;
  /** [B, 3, H, W]; null for a golden of texts alone. */
  readonly imageShape: Tensor4D["shape"] | null;
  /** Rows of ids, padded to equal length; null for a golden of images alone. */
  readonly text: readonly (readonly number[])[] | null;
  /** PyTorch's own relative L2 in float32, by tap, if the taps hold float64's values. */
  readonly float32Error: ReadonlyMap<string, number> | null;
  /** The same in bfloat16. */
  readonly bfloat16Error: ReadonlyMap<string, number> | null;
  /** The number of values kept of each tap; null if the taps are whole. */
  readonly samples: number | null;
  /** The architecture whose synthetic weights the golden was made with; null for weights from a file. */
  readonly syntheticArch: string | null;
  readonly #file: SafetensorsFile;
  readonly #source: SyncByteSource;

  private constructor(file: SafetensorsFile, source: SyncByteSource, text: Golden["text"]) {
    const { metadata, tensors } = file;
    this.#file = file;
    this.#source = source;
    this.name = file.name;
    this.metadata = metadata;
    this.text = text;
    this.samples = metadata["samples"] === undefined ? null : positive(metadata["samples"], file.name);
    this.syntheticArch = metadata["weights"] === "synthetic" ? (metadata["arch"] ?? "") : null;
    this.float32Error = readErrors(metadata, "float32_error", file.name);
    this.bfloat16Error = readErrors(metadata, "bfloat16_error", file.name);
    this.imageShape = imageShape(file);
    this.taps = new Map(
      [...tensors]
        .filter(([name]) => name !== imageInput && name !== textInput)
        .map(([name, info]) => [name, checkedShape(file.name, name, info, this.samples)]),
    );
    if (this.imageShape === null && text === null) {
      throw new InputError(`${file.name}: not a golden: it has neither ${imageInput} nor ${textInput}`);
    }
    if (this.taps.size === 0) throw new InputError(`${file.name}: not a golden: it has inputs, but no taps`);
  }

  /** @throws InputError if the file is not a valid golden; the source is then closed */
  static async open(source: SyncByteSource): Promise<Golden> {
    const file = await SafetensorsFile.open(source);
    try {
      return new Golden(file, source, await readText(file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** A tap's values, flat, as float32. @throws InputError if the golden lacks the tap, or the file is cut short */
  readTap(name: string): Float32Array {
    const { dtype, offset, size } = tensorInfo(this.#file, name);
    return toFloat32(dtype, this.#source.readSync(offset, size));
  }

  /** The pixels [B, 3, H, W], or null if there are none. The caller disposes them. */
  readImage(): Tensor4D | null {
    const shape = this.imageShape;
    if (shape === null) return null;
    const values = this.#file.tensors.has(imageInput)
      ? this.readTap(imageInput)
      : syntheticValues(imageInput, shape, 0, elementCount(shape));
    return tensor4d(values, shape);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function imageShape(file: SafetensorsFile): Tensor4D["shape"] | null {
  const info = file.tensors.get(imageInput);
  const synthetic = file.metadata["image_shape"];
  if (info === undefined && synthetic === undefined) return null;
  const shape = info === undefined ? readShape(synthetic!, file.name) : info.shape;
  const [batch = 0, channels, height, width] = shape;
  if (shape.length !== 4 || channels !== 3 || elementCount(shape) === 0 || info?.dtype === "I64") {
    throw new InputError(
      `${file.name}: ${imageInput}: expected F32 [B, 3, H, W], found ${info?.dtype ?? ""} [${shape.join(", ")}]`,
    );
  }
  return [batch, channels, height!, width!];
}

function readShape(json: string, file: string): number[] {
  return JsonValue.parse(json, `${file}: metadata "image_shape"`).integers(0);
}

async function readText(file: SafetensorsFile): Promise<number[][] | null> {
  const info = file.tensors.get(textInput);
  if (info === undefined) return null;
  const { dtype, shape } = info;
  const [rows = 0, length = 0] = shape;
  if (shape.length !== 2 || rows * length === 0 || (dtype !== "I64" && dtype !== "I32")) {
    throw new InputError(
      `${file.name}: ${textInput}: expected I64 [T, L], found ${dtype} [${shape.join(", ")}]`,
    );
  }
  const ids = toIntegers(dtype, await file.read(textInput));
  return Array.from({ length: rows }, (_, row) => ids.slice(row * length, (row + 1) * length));
}

function checkedShape(
  file: string,
  name: string,
  { dtype, shape }: TensorInfo,
  samples: number | null,
): readonly number[] {
  if (!weightDtypes.includes(dtype)) {
    throw new InputError(`${file}: ${name}: expected F32, found ${dtype}: a golden's taps are floats`);
  }
  if (samples !== null && shape.join() !== String(samples + 2)) {
    throw new InputError(
      `${file}: ${name}: expected norm, mean and ${samples} samples, found the shape [${shape.join(", ")}]`,
    );
  }
  return shape;
}

function positive(text: string, file: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InputError(`${file}: metadata "samples": expected a whole number above 0, found "${text}"`);
}

function readErrors(
  metadata: Golden["metadata"],
  key: string,
  file: string,
): ReadonlyMap<string, number> | null {
  const json = metadata[key];
  if (json === undefined) return null;
  const errors = JsonValue.parse(json, `${file}: metadata "${key}"`).entries();
  return new Map(errors.map(([name, error]) => [name, error.number()]));
}
