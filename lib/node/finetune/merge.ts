/**
 * Merges a model with what it was tuned to: another model directory (WiSE-FT) or adapters in peft's layout. A merged
 * model is computed tensor by tensor when it is read or written, and never as a whole in memory.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loraStore, type LoraMatrices } from "../../checkpoint/lora-store.ts";
import { peftFiles, peftNames, peftScale } from "../../checkpoint/peft.ts";
import { Clip } from "../../clip/clip.ts";
import { declaredTensors } from "../../clip/network.ts";
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import type { Probe } from "../../probe/probe.ts";
import { zeroShotHead } from "../../probe/text-head.ts";
import type { BackendChoice } from "../../tensor/backend.ts";
import { changedTensors, interpolate, interpolatedStore } from "../../tensor/interpolated-store.ts";
import { elementCount } from "../../tensor/dtype.ts";
import { SafetensorsFile } from "../../tensor/safetensors.ts";
import { readFloat32, tensorInfo, type TensorStore } from "../../tensor/store.ts";
import type { LinearValues } from "../../train/classifier-head.ts";
import { startNodeBackend } from "../backends/backends.ts";
import { openProbe } from "../features/probes.ts";
import { exists } from "../files/exists.ts";
import { FileSource } from "../files/file-source.ts";
import { fittingResidency, threadsFor } from "../models/load-model.ts";
import { readModelDirectory, type ModelDirectory } from "../models/model-directory.ts";
import { readTokenizer } from "../models/read-tokenizer.ts";
import { openWeights } from "../models/weights-file.ts";
import { zeroShotValues } from "./measure.ts";
import { headName, modelWeightsName, writeHead, writeModel } from "./result.ts";

/** The classes of a classifier, and how its zero-shot part is prompted. */
export interface MergeClasses {
  readonly classNames: readonly string[];
  readonly templates: readonly string[];
}

/** A model, what it was tuned to, and everything between them. */
export class Merge {
  readonly files: ModelDirectory;
  readonly kind: "models" | "adapters";
  /** The tensors that tuning has changed. */
  readonly changed: readonly string[];
  /** The tuned model's classifier; null if it has none. */
  readonly head: Probe | null;
  readonly #base: TensorStore;
  readonly #at: (name: string, alpha: number) => TensorStore;
  readonly #close: () => Promise<void>;

  private constructor(
    parts: Pick<Merge, "files" | "kind" | "changed" | "head">,
    base: TensorStore,
    at: (name: string, alpha: number) => TensorStore,
    close: () => Promise<void>,
  ) {
    this.files = parts.files;
    this.kind = parts.kind;
    this.changed = parts.changed;
    this.head = parts.head;
    this.#base = base;
    this.#at = at;
    this.#close = close;
  }

  /**
   * @param tuned a model directory, or a folder with adapters
   * @param onElements called with the numbers compared so far, and with all
   * @throws InputError if they do not belong together
   */
  static async open(
    base: string,
    tuned: string,
    arch?: string,
    onElements?: (done: number, total: number) => void,
  ): Promise<Merge> {
    const files = await readModelDirectory(base, arch);
    const headPath = join(tuned, headName);
    const head = (await exists(headPath)) ? await openProbe(headPath) : null;
    const store = await openWeights(files.path, files.hint, files.layout);
    try {
      if (await exists(join(tuned, peftFiles.config))) {
        const adapters = await readAdapters(tuned, files);
        const at = (name: string, alpha: number): TensorStore =>
          loraStore(name, store, scaled(adapters, alpha));
        at("", 1); // refuses adapters of another model
        const changed = [...adapters.keys()];
        return new Merge({ files, kind: "adapters", changed, head }, store, at, () => store.close());
      }
      const other = await readModelDirectory(tuned, arch);
      const tunedStore = await openWeights(other.path, other.hint, other.layout);
      const close = async (): Promise<void> => {
        await tunedStore.close();
        await store.close();
      };
      const shapes = declaredTensors(files.config);
      const total = [...shapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
      let done = 0;
      const changed = await changedTensors(store, tunedStore, shapes.keys(), (count) => {
        onElements?.((done += count), total);
      }).catch(async (error: unknown) => {
        await tunedStore.close();
        throw error;
      });
      const at = (name: string, alpha: number): TensorStore =>
        interpolatedStore(name, store, tunedStore, changed, alpha);
      return new Merge({ files, kind: "models", changed, head }, store, at, close);
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Calls `use` with a merged model, and frees it afterwards. @param path of its weights, which names it */
  async withModel<T>(
    alpha: number,
    backend: BackendChoice | undefined,
    use: (model: Clip) => Promise<T>,
    path = join("merged", modelWeightsName),
  ): Promise<T> {
    const { config, preprocess } = this.files;
    const started = await startNodeBackend(backend, threadsFor(config));
    const store = this.#at(path, alpha);
    const residency = fittingResidency(store, started.name);
    const loadTokenizer = (): ReturnType<typeof readTokenizer> => readTokenizer(this.files);
    const model = new Clip({ config, store, preprocess, loadTokenizer, residency });
    try {
      return await use(model);
    } finally {
      model.weights.dispose(); // not `dispose`, which closes the files
    }
  }

  /**
   * The classifier at α: between the base's zero-shot one and the tuned one, or, if the text tower is tuned too, the
   * merged model's zero-shot one.
   *
   * @param model the merged one
   */
  async classifier(
    model: Clip,
    alpha: number,
    backend: BackendChoice | undefined,
    classes: MergeClasses,
  ): Promise<LinearValues> {
    const zeroShot = async (of: Clip): Promise<LinearValues> => {
      const { embeddings, scale } = await zeroShotHead(of, classes.classNames, classes.templates);
      return zeroShotValues(embeddings, scale, classes.classNames.length);
    };
    if (this.head?.metadata["recipe"] !== "finetune") return zeroShot(model);
    const { head } = this;
    if (alpha === 1) return head;
    if (String(head.classNames) !== String(classes.classNames)) {
      throw new Error(`${head.name}: its classes are in another order`);
    }
    const start = await this.withModel(0, backend, zeroShot);
    return {
      weight: interpolate(start.weight, head.weight, alpha),
      bias: interpolate(start.bias, head.bias, alpha),
    };
  }

  /** Writes the merged model directory, and its classifier if there is one, into an empty folder. */
  async write(
    folder: string,
    out: string,
    alpha: number,
    arch: string | undefined,
    backend: BackendChoice | undefined,
    onBytes?: (done: number, total: number) => void,
  ): Promise<void> {
    const path = join(out, modelWeightsName);
    const store = this.#at(path, alpha);
    const total = [...store.tensors.values()].reduce((sum, { size }) => sum + size, 0);
    let done = 0;
    await writeModel(folder, this.files, arch, store, (count) => {
      onBytes?.((done += count), total);
    });
    const { head } = this;
    if (head === null) return;
    const classes = this.classesOf(head);
    await this.withModel(
      alpha,
      backend,
      async (model) => {
        const classifier = await this.classifier(model, alpha, backend, classes);
        await writeHead(join(folder, headName), model, classifier, {
          classNames: classes.classNames,
          recipe: head.metadata["recipe"] ?? "finetune",
          settings: { templates: classes.templates, alpha },
        });
      },
      path,
    );
  }

  /** Of a classifier that `finetune` wrote. */
  classesOf(head: Probe): MergeClasses {
    const settings = JsonValue.parse(head.metadata["settings"] ?? "{}", `${head.name}: metadata "settings"`);
    return { classNames: head.classNames, templates: settings.at("templates").or(["{}"]).strings() };
  }

  get baseName(): string {
    return this.#base.name;
  }

  close(): Promise<void> {
    return this.#close();
  }
}

function scaled(adapters: ReadonlyMap<string, LoraMatrices>, alpha: number): Map<string, LoraMatrices> {
  return new Map(Array.from(adapters, ([name, lora]) => [name, { ...lora, scale: alpha * lora.scale }]));
}

/** Adapters by the names of the weights that they change. */
async function readAdapters(folder: string, { config }: ModelDirectory): Promise<Map<string, LoraMatrices>> {
  const path = join(folder, peftFiles.config);
  const scaleOf = peftScale(JsonValue.parse(await readFile(path), path));
  const file = await SafetensorsFile.open(await FileSource.open(join(folder, peftFiles.weights)));
  try {
    const adapters = new Map<string, LoraMatrices>();
    const left = new Set(file.tensors.keys());
    for (const weight of declaredTensors(config).keys()) {
      const names = peftNames(weight);
      if (!left.has(names.a) || !left.has(names.b)) continue;
      left.delete(names.a);
      left.delete(names.b);
      const b = await readFloat32(file, names.b);
      if (b.every((value) => value === 0)) continue; // it changes nothing
      const [rank = 1] = tensorInfo(file, names.a).shape;
      adapters.set(weight, { a: await readFloat32(file, names.a), b, scale: scaleOf(rank, weight) });
    }
    const [unknown] = left;
    if (unknown === undefined && adapters.size > 0) return adapters;
    throw new InputError(
      `${file.name}: ${unknown === undefined ? "no adapters" : `${unknown} is not an adapter of a weight of the model`}; expected adapters of this architecture in peft's layout`,
    );
  } finally {
    await file.close();
  }
}
