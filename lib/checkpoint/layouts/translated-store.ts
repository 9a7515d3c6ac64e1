/**
 * Presents a store under the names and in the shapes of another layout. Nothing is copied beforehand: each read reads the
 * tensors that it needs, in pieces, except that a transposed or summed tensor needs its source as a whole.
 */
import { InputError } from "../../errors/input-error.ts";
import { bytesPerElement, elementCount, toFloat32, type Dtype } from "../../tensor/dtype.ts";
import { roundFloats, type FloatDtype } from "../../tensor/rounding.ts";
import { tensorInfo, type FilePlace, type TensorInfo, type TensorStore } from "../../tensor/store.ts";
import { sourcesOf, type Recipe, type Recipes, type RowRange } from "./recipe.ts";

const floatDtypes: readonly Dtype[] = ["F32", "F16", "BF16"];

export class TranslatedStore implements TensorStore {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #source: TensorStore;
  readonly #recipes: Recipes;

  /**
   * @param recipes of every tensor that the new store has
   * @param isIgnored tensors of the source that no recipe reads and that do not matter
   * @throws InputError if the source lacks a tensor, has others, or their shapes or dtypes do not fit a recipe
   */
  constructor(source: TensorStore, recipes: Recipes, isIgnored: (name: string) => boolean) {
    this.name = source.name;
    this.metadata = source.metadata;
    this.#source = source;
    this.#recipes = recipes;
    assertComplete(source, recipes, isIgnored);
    this.tensors = new Map([...recipes].map(([name, recipe]) => [name, describe(source, name, recipe)]));
  }

  async read(name: string, start = 0, length?: number, reused?: Uint8Array): Promise<Uint8Array> {
    const { size } = tensorInfo(this, name);
    const count = length ?? size - start;
    if (start < 0 || count < 0 || start + count > size) {
      throw new InputError(
        `${this.name}: expected bytes ${start} to ${start + count} of "${name}", found ${size}`,
      );
    }
    const recipe = this.#recipes.get(name)!;
    switch (recipe.kind) {
      case "copy":
        return this.#source.read(recipe.from, this.#skipped(recipe) + start, count, reused);
      case "join":
        return this.#readJoined(recipe.from, start, count, reused);
      case "transpose":
        return (await this.#transposed(recipe.from)).subarray(start, start + count);
      case "sum":
        return (await this.#summed(recipe)).subarray(start, start + count);
      case "constant":
        return float32Bytes(Float32Array.of(recipe.value)).subarray(start, start + count);
    }
  }

  place(name: string): FilePlace | undefined {
    const recipe = this.#recipes.get(name);
    if (recipe?.kind !== "copy") return undefined;
    const place = this.#source.place?.(recipe.from);
    return place && { ...place, offset: place.offset + this.#skipped(recipe) };
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  /** The bytes of the source before a part of its rows. */
  #skipped({ from, rows }: { readonly from: string; readonly rows?: RowRange }): number {
    return rows === undefined ? 0 : (tensorInfo(this.#source, from).size / rows.of) * rows.index;
  }

  async #readJoined(
    names: readonly string[],
    start: number,
    count: number,
    reused?: Uint8Array,
  ): Promise<Uint8Array> {
    const bytes = reused?.subarray(0, count) ?? new Uint8Array(count);
    let [first, filled] = [0, 0];
    for (const name of names) {
      const { size } = tensorInfo(this.#source, name);
      const from = Math.max(0, start - first);
      const part = Math.min(size - from, count - filled);
      if (part > 0) {
        bytes.set(await this.#source.read(name, from, part), filled);
        filled += part;
      }
      first += size;
    }
    return bytes;
  }

  async #transposed(name: string): Promise<Uint8Array> {
    const { shape, dtype } = tensorInfo(this.#source, name);
    const [height = 0, width = 0] = shape;
    const element = bytesPerElement[dtype];
    const from = await this.#source.read(name);
    const to = new Uint8Array(from.length);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const [a, b] = [(row * width + column) * element, (column * height + row) * element];
        for (let byte = 0; byte < element; byte++) to[b + byte] = from[a + byte]!;
      }
    }
    return to;
  }

  /** The sum in float32, rounded to the dtype of the table. */
  async #summed({ from, vector, first }: Extract<Recipe, { kind: "sum" }>): Promise<Uint8Array> {
    const [table, added] = await Promise.all(
      [from, vector].map(async (name) =>
        toFloat32(tensorInfo(this.#source, name).dtype, await this.#source.read(name)),
      ) as [Promise<Float32Array>, Promise<Float32Array>],
    );
    const sum = table.slice();
    for (let i = first * added.length; i < sum.length; i++) sum[i]! += added[i % added.length]!;
    const { dtype } = tensorInfo(this.#source, from);
    return roundFloats("F32", dtype as FloatDtype, float32Bytes(sum)).bytes;
  }
}

function float32Bytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function assertComplete(source: TensorStore, recipes: Recipes, isIgnored: (name: string) => boolean): void {
  const wanted = new Set([...recipes.values()].flatMap(sourcesOf));
  const missing = [...wanted].filter((name) => !source.tensors.has(name));
  const others = [...source.tensors.keys()].filter((name) => !wanted.has(name) && !isIgnored(name));
  if (missing.length === 0 && others.length === 0) return;
  throw new InputError(
    `${source.name}: its tensors do not fit its config: ${missing.length} missing, ${others.length} without a counterpart in OpenCLIP's model`,
    [
      ...missing.slice(0, 20).map((name) => `missing     ${name}`),
      ...others
        .slice(0, 20)
        .map((name) => `unexpected  ${name} [${tensorInfo(source, name).shape.join(", ")}]`),
    ],
  );
}

/** The dtype, shape and size of the tensor that a recipe makes. */
function describe(source: TensorStore, name: string, recipe: Recipe): TensorInfo {
  if (recipe.kind === "constant") return { dtype: "F32", shape: [], offset: 0, size: 4 };
  const infos = sourcesOf(recipe).map((from) => ({ from, ...tensorInfo(source, from) }));
  const [{ dtype, shape, offset, size }, ...rest] = infos as [(typeof infos)[number], ...typeof infos];
  const misfit = (expected: string): InputError => {
    const found = infos.map((info) => `"${info.from}" ${info.dtype} [${info.shape.join(", ")}]`);
    return new InputError(`${source.name}: "${name}": expected ${expected}, found ${found.join(", ")}`);
  };
  switch (recipe.kind) {
    case "copy": {
      const parts = recipe.rows?.of ?? 1;
      const given = parts === 1 ? shape : [(shape[0] ?? 0) / parts, ...shape.slice(1)];
      const wanted = recipe.shape ?? given;
      if (!given.every(Number.isInteger)) throw misfit(`rows that can be split into ${parts}`);
      if (elementCount(wanted) !== elementCount(given)) throw misfit(`numbers for [${wanted.join(", ")}]`);
      const skipped = recipe.rows === undefined ? 0 : (size / parts) * recipe.rows.index;
      return { dtype, shape: wanted, offset: offset + skipped, size: size / parts };
    }
    case "join": {
      if (rest.some((info) => info.dtype !== dtype || info.shape.slice(1).join() !== shape.slice(1).join())) {
        throw misfit("tensors of one dtype and width");
      }
      const height = infos.reduce((sum, info) => sum + (info.shape[0] ?? 0), 0);
      return {
        dtype,
        shape: [height, ...shape.slice(1)],
        offset,
        size: infos.reduce((sum, info) => sum + info.size, 0),
      };
    }
    case "transpose":
      if (shape.length !== 2) throw misfit("a matrix");
      return { dtype, shape: [shape[1]!, shape[0]!], offset, size };
    case "sum":
      if (
        elementCount(shape) !== elementCount(recipe.shape) ||
        rest[0]?.shape.join() !== `${recipe.shape[1]}`
      ) {
        throw misfit(`a table [${recipe.shape.join(", ")}] and a vector [${recipe.shape[1]}]`);
      }
      if (!infos.every((info) => floatDtypes.includes(info.dtype))) throw misfit(floatDtypes.join(", "));
      return { dtype, shape: recipe.shape, offset, size };
  }
}
