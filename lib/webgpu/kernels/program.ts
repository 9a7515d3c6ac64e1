/** Runs a compute shader on tensors, through tfjs's WebGPU backend, which keeps the buffers and the compiled shaders. */
import { util, type TensorInfo } from "@tensorflow/tfjs-core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

/** What shaders use of tfjs's backend. */
export type ShaderBackend = Pick<WebGPUBackend, "runWebGPUProgram" | "disposeData">;

/** A compute shader: WGSL with a function `main`. tfjs adds the declarations of `result`, the inputs and `uniforms`. */
export interface Shader {
  /** Tells apart shaders whose code differs. */
  readonly key: string;
  /** Declarations and `fn main()`; for one axis of workgroups `fn main(index : i32)`, the number of the thread. */
  readonly code: string;
  readonly threads: readonly [number, number, number];
}

export interface Dispatch {
  /** Arrays in the shader, by name: of f32, or of i32 where tfjs has cast integers or booleans without converting them. */
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  /** `uniforms.NAME` in the shader: whole numbers, and those of `reals`. */
  readonly integers: Readonly<Record<string, number>>;
  readonly reals?: Readonly<Record<string, number>>;
  readonly outputShape: readonly number[];
  readonly workgroups: readonly [number] | readonly [number, number, number];
}

/** @returns float32 of `outputShape` */
export function run(backend: ShaderBackend, shader: Shader, dispatch: Dispatch): TensorInfo {
  const { inputs, integers, reals = {}, workgroups } = dispatch;
  const size = util.sizeFromShape([...dispatch.outputShape]);
  const [x, y, z] = workgroups;
  const isLine = y === undefined || z === undefined;
  const program = {
    shaderKey: shader.key,
    getUserCode: () => shader.code,
    workgroupSize: [...shader.threads] as [number, number, number],
    variableNames: Object.keys(inputs),
    uniforms: [
      ...Object.keys(integers).map((name) => `${name} : i32,`),
      ...Object.keys(reals).map((name) => `${name} : f32,`),
    ].join(" "),
    // tfjs derives from the shapes how a shader may address a tensor. These shaders use plain indices.
    outputShape: isLine ? [size] : [1, 1, size],
    dispatchLayout: isLine ? { x: [0] } : { x: [2], y: [1], z: [0] },
    dispatch: (isLine ? [x, 1, 1] : [x, y, z]) satisfies number[] as [number, number, number],
  };
  const out = backend.runWebGPUProgram(
    program,
    Object.values(inputs).map((input) => ({ ...input, shape: [util.sizeFromShape(input.shape)] })),
    "float32",
    [
      ...Object.values(integers).map((value) => ({ type: "int32", data: [value] })),
      ...Object.values(reals).map((value) => ({ type: "float32", data: [value] })),
    ],
  );
  return { ...out, shape: [...dispatch.outputShape] };
}
