/** Builds a network in ONNX's file format that refers to its weights in a safetensors file. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import protobuf from "protobufjs";
import { tensorInfo, type TensorStore } from "../../lib/tensor/store.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { packageRoot } from "../result.ts";

const schema = protobuf.parse(readFileSync(join(packageRoot, "bench/peers/onnx.proto"), "utf8"), {
  keepCase: true,
}).root;

type Attribute = number | readonly number[] | { readonly float: number };

/** The name of a value in the graph. */
type Value = string;

/** A string is a symbolic size, such as the batch. */
type Size = number | string;

/** Part number `index` of `of` equal parts. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

const dataType = { float: 1, int64: 7 };
const microsoft = "com.microsoft";

export class OnnxGraph {
  readonly #weights: TensorStore | null;
  readonly #nodes: object[] = [];
  readonly #initializers = new Map<string, object>();
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];

  /** @param weights a safetensors file in the folder that the model will be written to */
  constructor(weights: TensorStore | null = null) {
    this.#weights = weights;
  }

  input(name: string, shape: readonly Size[]): Value {
    this.#inputs.push(floats(name, shape));
    return name;
  }

  output(value: Value, shape: readonly Size[]): void {
    this.#outputs.push(floats(value, shape));
  }

  /**
   * A weight of the file, or a part of it along the first axis.
   *
   * @throws InputError if it is not float32, which ONNX would have to convert in every run
   */
  weight(name: string, part: Part = { index: 0, of: 1 }): Value {
    const { dtype, shape, offset, size } = tensorInfo(this.#weights!, name);
    const file = this.#weights!.name;
    if (dtype !== "F32")
      throw new InputError(
        `${file}: ${name}: expected F32 for onnxruntime, found ${dtype}; convert the model with "clipscope convert --dtype f32"`,
      );
    const length = size / part.of;
    const place = { location: basename(file), offset: offset + part.index * length, length };
    const value = part.of === 1 ? name : `${name}[${part.index}]`;
    this.#initializers.set(value, {
      name: value,
      dims: [shape[0]! / part.of, ...shape.slice(1)],
      data_type: dataType.float,
      data_location: 1,
      external_data: Object.entries(place).map(([key, entry]) => ({ key, value: String(entry) })),
    });
    return value;
  }

  /** A constant vector of integers, such as a shape or positions. */
  integers(...values: readonly number[]): Value {
    const name = `[${values.join(", ")}]`;
    const dims = [values.length];
    this.#initializers.set(name, { name, dims, data_type: dataType.int64, int64_data: values });
    return name;
  }

  /** Adds an operation with one output. */
  apply(
    operation: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    return this.applyMany(operation, inputs, 1, attributes)[0]!;
  }

  /** Adds an operation with several outputs. "com.microsoft:Name" is one of onnxruntime's own operations. */
  applyMany(
    operation: string,
    inputs: readonly Value[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value[] {
    const [op_type, domain = ""] = operation.split(":").toReversed();
    const name = `${String(op_type)}_${this.#nodes.length}`;
    const output = Array.from({ length: outputs }, (_, i) => `${name}:${i}`);
    const attribute = Object.entries(attributes).map(([key, value]) => ({ name: key, ...encoded(value) }));
    this.#nodes.push({ name, op_type, domain, input: inputs, output, attribute });
    return output;
  }

  /** The bytes of the ONNX file. */
  encode(): Uint8Array {
    const model = schema.lookupType("onnx.ModelProto");
    const opset_import = [
      { domain: "", version: 20 },
      { domain: microsoft, version: 1 },
    ];
    const graph = {
      name: "clipscope",
      node: this.#nodes,
      initializer: [...this.#initializers.values()],
      input: this.#inputs,
      output: this.#outputs,
    };
    const message = { ir_version: 9, producer_name: "clipscope", opset_import, graph };
    const problem = model.verify(message);
    if (problem !== null) throw new Error(`ONNX: ${problem}`);
    return model.encode(message).finish();
  }
}

function floats(name: string, shape: readonly Size[]): object {
  const dim = shape.map((size) => (typeof size === "string" ? { dim_param: size } : { dim_value: size }));
  return { name, type: { tensor_type: { elem_type: dataType.float, shape: { dim } } } };
}

function encoded(value: Attribute): object {
  if (typeof value === "number") return { type: 2, i: value };
  return "float" in value ? { type: 1, f: value.float } : { type: 7, ints: value };
}
