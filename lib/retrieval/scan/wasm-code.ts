/**
 * Writes WebAssembly: just what the kernel of the scan needs. Instructions are lists of bytes.
 *
 * Source: webassembly.github.io/spec/core/binary; the opcodes of vectors are in its section "Vector Instructions".
 */
export type Code = readonly number[];

/** The types of values. */
export const valueTypes = { i32: 0x7f, v128: 0x7b } as const;

/** An unsigned integer as LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

/** A signed integer as LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest < -64 || rest > 63; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest & 0x7f];
}

const vector = (opcode: number, ...rest: Code): number[] => [0xfd, ...unsigned(opcode), ...rest];
const noAlignment = 0;

/** Instructions. Those of memory take the offset from the address on the stack. */
export const op = {
  get: (local: number): Code => [0x20, ...unsigned(local)],
  set: (local: number): Code => [0x21, ...unsigned(local)],
  const: (value: number): Code => [0x41, ...signed(value)],
  add: [0x6a],
  mul: [0x6c],
  shl: [0x74],
  lessThanUnsigned: [0x49],
  load: (offset: number): Code => [0x28, noAlignment, ...unsigned(offset)],
  store: (offset: number): Code => [0x36, noAlignment, ...unsigned(offset)],
  /** Repeats the body while it leaves a number other than 0. */
  loop: (body: Code): Code => [0x03, 0x40, ...body, 0x0d, 0, 0x0b],
  zeros: vector(0x0c, ...Array<number>(16).fill(0)),
  load128: (offset: number): Code => vector(0x00, noAlignment, ...unsigned(offset)),
  /** Eight int8 as eight int16. */
  load8x8: (offset: number): Code => vector(0x01, noAlignment, ...unsigned(offset)),
  /** Four int32: the sums of two products of int16 each. */
  dot16: vector(0xba),
  add32x4: vector(0xae),
  lane32x4: (lane: number): Code => vector(0x1b, lane),
} as const;

export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly number[];
  readonly locals: readonly number[];
  readonly body: Code;
}

/** A module with one function without a result, which uses the memory that is imported as `env.memory`. */
export function wasmModule({ name, parameters, locals, body }: WasmFunction): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: Code): number[] => [id, ...unsigned(content.length), ...content];
  const text = (value: string): number[] => [value.length, ...new TextEncoder().encode(value)];
  const code = [...unsigned(locals.length), ...locals.flatMap((type) => [1, type]), ...body, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, ...unsigned(parameters.length), ...parameters, 0]),
    ...section(2, [1, ...text("env"), ...text("memory"), 0x02, 0x00, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text(name), 0x00, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}
