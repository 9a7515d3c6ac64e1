/**
 * An unpickler that executes nothing.
 *
 * A pickle is a program for a small stack machine. Python's machine imports and calls every function that the pickle
 * names, so an untrusted pickle can run any code. This machine imports nothing: a name becomes a `Global`, and a call
 * becomes what the host returns for it, or an inert `Instance`. It supports the opcodes of protocols 2 to 5 that
 * `torch.save` writes; the text opcodes of protocols 0 and 1 are errors.
 *
 * Memory is bounded: everything that the pickle builds counts against a budget, because a single byte of a hostile
 * pickle can create a dictionary of some hundred bytes. Parsing is not recursive, so deep nesting is harmless.
 *
 * Source: CPython, Lib/pickletools.py; PEP 3154 and PEP 574.
 */
/* eslint-disable @typescript-eslint/no-confusing-void-expression -- with `return this.#push(…)` an opcode takes one line */
import { InputError } from "../errors/input-error.ts";

/** The name of a Python class or function. */
export class Global {
  /** "torch._utils._rebuild_tensor_v2" */
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }
}

/** A Python tuple. */
export class Tuple {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** Stands for the result of calling a class or function that the host does not know. Nothing was called. */
export class Instance {
  /** What Python would have called: "argparse.Namespace". */
  readonly path: string;
  readonly args: readonly unknown[];
  /** The state that Python would have given to the object. */
  state: unknown = null;

  constructor(path: string, args: readonly unknown[]) {
    this.path = path;
    this.args = args;
  }
}

/** Resolves names and persistent ids. */
export interface PickleHost {
  /** The result of a call; undefined if it is unknown, which makes the result an `Instance`. */
  call(path: string, args: readonly unknown[]): unknown;
  /** The object that a persistent id refers to. @throws InputError for an unknown id */
  persistent(id: unknown): unknown;
}

export interface Unpickled {
  /** null, boolean, number, bigint, string, Uint8Array, Array, Map, Set, Tuple, Global, Instance, or an object of the host. */
  readonly value: unknown;
  /** Position of the first byte after the pickle. */
  readonly end: number;
}

/** The bytes end before the pickle does. */
export class PickleCutShort extends InputError {}

/** Approximate memory that objects take in V8 on 64-bit machines, in bytes. */
const costs = { value: 32, dictionary: 256, entry: 64, list: 64, object: 96 } as const;

/** Limit for integers, in bytes; the largest in a checkpoint is a magic number of ten bytes. */
const maxIntegerSize = 256;

/**
 * Reads one pickle.
 *
 * @param name the file's path, for errors
 * @param bytes the pickle, from `start` on; more bytes may follow it
 * @param budget approximate memory that the result may take, in bytes
 * @throws PickleCutShort if the bytes end before the pickle does
 * @throws InputError if it is not a pickle, is damaged, or takes more memory than the budget
 */
export function unpickle(
  name: string,
  bytes: Uint8Array,
  host: PickleHost,
  budget: number,
  start = 0,
): Unpickled {
  return new Machine(name, bytes, host, budget, start).run();
}

class Machine {
  readonly #name: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #host: PickleHost;
  readonly #stack: unknown[] = [];
  /** Heights of the stack at the marks. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #at: number;
  #opcodeAt: number;
  #budget: number;

  constructor(name: string, bytes: Uint8Array, host: PickleHost, budget: number, start: number) {
    this.#name = name;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#host = host;
    this.#budget = budget;
    this.#at = start;
    this.#opcodeAt = start;
  }

  run(): Unpickled {
    for (;;) {
      this.#opcodeAt = this.#at;
      const opcode = this.#uint8();
      if (opcode === 0x2e) return { value: this.#pop(), end: this.#at }; // STOP
      this.#step(opcode);
    }
  }

  #step(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        return this.#protocol(this.#uint8());
      case 0x95: // FRAME: a hint for buffering
        this.#take(8);
        return;

      // Values
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4a: // BININT
        return this.#push(this.#view.getInt32(this.#take(4), true));
      case 0x4b: // BININT1
        return this.#push(this.#uint8());
      case 0x4d: // BININT2
        return this.#push(this.#view.getUint16(this.#take(2), true));
      case 0x8a: // LONG1
        return this.#push(this.#integer(this.#uint8()));
      case 0x8b: // LONG4
        return this.#push(this.#integer(this.#uint32()));
      case 0x47: // BINFLOAT
        return this.#push(this.#view.getFloat64(this.#take(8), false));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#text(this.#uint8(), "utf-8"));
      case 0x58: // BINUNICODE
        return this.#push(this.#text(this.#uint32(), "utf-8"));
      case 0x8d: // BINUNICODE8
        return this.#push(this.#text(this.#uint64(), "utf-8"));
      case 0x55: // SHORT_BINSTRING, Python 2's str
        return this.#push(this.#text(this.#uint8(), "latin1"));
      case 0x54: // BINSTRING
        return this.#push(this.#text(this.#uint32(), "latin1"));
      case 0x43: // SHORT_BINBYTES
        return this.#push(this.#data(this.#uint8()));
      case 0x42: // BINBYTES
        return this.#push(this.#data(this.#uint32()));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.#push(this.#data(this.#uint64()));

      // Tuples
      case 0x29: // EMPTY_TUPLE
        return this.#push(new Tuple([]), costs.object);
      case 0x85: // TUPLE1
        return this.#pushTuple(1);
      case 0x86: // TUPLE2
        return this.#pushTuple(2);
      case 0x87: // TUPLE3
        return this.#pushTuple(3);
      case 0x74: // TUPLE
        return this.#push(new Tuple(this.#popToMark()), costs.object);

      // Lists
      case 0x5d: // EMPTY_LIST
        return this.#push([], costs.list);
      case 0x6c: // LIST
        return this.#push(this.#popToMark(), costs.list);
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popToMark());

      // Dictionaries and sets
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map(), costs.dictionary);
      case 0x64: {
        // DICT
        const items = this.#popToMark();
        this.#push(new Map(), costs.dictionary);
        return this.#setItems(items);
      }
      case 0x73: {
        // SETITEM
        const value = this.#pop();
        return this.#setItems([this.#pop(), value]);
      }
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark());
      case 0x8f: // EMPTY_SET
        return this.#push(new Set(), costs.dictionary);
      case 0x90: // ADDITEMS
        return this.#addItems(this.#popToMark());
      case 0x91: {
        // FROZENSET
        const items = this.#popToMark();
        this.#push(new Set(), costs.dictionary);
        return this.#addItems(items);
      }

      // The stack
      case 0x28: // MARK
        this.#charge(costs.value);
        this.#marks.push(this.#stack.length);
        return;
      case 0x30: // POP
        if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
        else this.#pop();
        return;
      case 0x31: // POP_MARK
        this.#popToMark();
        return;
      case 0x32: // DUP
        return this.#push(this.#top());

      // The memo
      case 0x71: // BINPUT
        return this.#remember(this.#uint8());
      case 0x72: // LONG_BINPUT
        return this.#remember(this.#uint32());
      case 0x94: // MEMOIZE
        return this.#remember(this.#memo.size);
      case 0x68: // BINGET
        return this.#recall(this.#uint8());
      case 0x6a: // LONG_BINGET
        return this.#recall(this.#uint32());

      // Names and calls
      case 0x63: {
        // GLOBAL
        const module = this.#line();
        return this.#push(new Global(`${module}.${this.#line()}`), costs.object);
      }
      case 0x93: {
        // STACK_GLOBAL
        const name = this.#pop();
        const module = this.#pop();
        if (typeof module !== "string" || typeof name !== "string")
          throw this.#invalid("a name that is not a string");
        this.#charge(2 * (module.length + name.length));
        return this.#push(new Global(`${module}.${name}`), costs.object);
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = this.#pop();
        return this.#call(this.#pop(), args);
      }
      case 0x92: {
        // NEWOBJ_EX: keyword arguments are not used
        this.#pop();
        const args = this.#pop();
        return this.#call(this.#pop(), args);
      }
      case 0x62: {
        // BUILD
        const state = this.#pop();
        const target = this.#top();
        if (target instanceof Instance) target.state = state;
        return;
      }
      case 0x51: // BINPERSID
        return this.#push(this.#host.persistent(this.#pop()), costs.object);

      default:
        throw this.#invalid(`unknown opcode 0x${opcode.toString(16).padStart(2, "0")}`);
    }
  }

  #protocol(version: number): void {
    if (version < 2 || version > 5) throw this.#invalid(`protocol ${version}, expected 2 to 5`);
  }

  #call(callee: unknown, args: unknown): void {
    if (!(args instanceof Tuple)) throw this.#invalid("a call without a tuple of arguments");
    // The callee may be the result of a call: `getattr(module, "name")(…)`.
    const path = callee instanceof Global || callee instanceof Instance ? callee.path : null;
    if (path === null) throw this.#invalid("a call to something that is neither a class nor a function");
    const known = callee instanceof Global ? this.#host.call(path, args.items) : undefined;
    this.#push(known ?? new Instance(path, args.items), costs.dictionary);
  }

  #append(items: readonly unknown[]): void {
    const target = this.#top();
    this.#charge(costs.value * items.length);
    if (Array.isArray(target)) for (const item of items) target.push(item);
    else if (!(target instanceof Instance)) throw this.#invalid("an append to something other than a list");
  }

  #setItems(items: readonly unknown[]): void {
    const target = this.#top();
    if (items.length % 2 !== 0) throw this.#invalid("a key without a value");
    this.#charge((costs.entry * items.length) / 2);
    if (target instanceof Map) {
      for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
    } else if (!(target instanceof Instance)) {
      throw this.#invalid("an item of something other than a dictionary");
    }
  }

  #addItems(items: readonly unknown[]): void {
    const target = this.#top();
    this.#charge(costs.entry * items.length);
    if (target instanceof Set) for (const item of items) target.add(item);
    else if (!(target instanceof Instance)) throw this.#invalid("an addition to something other than a set");
  }

  #remember(index: number): void {
    this.#charge(costs.entry);
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): void {
    if (!this.#memo.has(index)) throw this.#invalid(`the memo has no entry ${index}`);
    this.#push(this.#memo.get(index));
  }

  #push(value: unknown, cost: number = costs.value): void {
    this.#charge(cost);
    this.#stack.push(value);
  }

  #pushTuple(length: number): void {
    const items: unknown[] = [];
    while (items.length < length) items.push(this.#pop());
    this.#push(new Tuple(items.reverse()), costs.object);
  }

  #pop(): unknown {
    this.#top();
    return this.#stack.pop();
  }

  #top(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw this.#invalid("the stack is empty");
    return this.#stack.at(-1);
  }

  #popToMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#invalid("no mark on the stack");
    const items = this.#stack.splice(mark);
    this.#charge(8 * items.length);
    return items;
  }

  /** Little-endian two's complement. */
  #integer(length: number): number | bigint {
    if (length > maxIntegerSize) throw this.#invalid(`an integer of ${length} bytes`);
    const at = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#view.getUint8(at + i));
    value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #text(length: number, encoding: "utf-8" | "latin1"): string {
    const at = this.#take(length);
    this.#charge(2 * length);
    // Invalid UTF-8 (Python writes lone surrogates) is replaced: names of tensors do not contain it.
    return new TextDecoder(encoding, { ignoreBOM: true }).decode(this.#bytes.subarray(at, at + length));
  }

  #data(length: number): Uint8Array {
    const at = this.#take(length);
    this.#charge(length + costs.object);
    return this.#bytes.slice(at, at + length);
  }

  /** Text up to a line feed. */
  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end === -1) throw this.#cutShort();
    const text = this.#text(end - this.#at, "utf-8");
    this.#take(1);
    return text;
  }

  #uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  #uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #uint64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  /** Skips the next bytes and returns the position of the first. */
  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw this.#cutShort();
    this.#at += length;
    return at;
  }

  #charge(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) throw this.#invalid("it needs more memory than a file of this size should");
  }

  #invalid(found: string): InputError {
    return new InputError(`${this.#name}: not a valid pickle: ${found} (at byte ${this.#opcodeAt})`);
  }

  #cutShort(): PickleCutShort {
    return new PickleCutShort(`${this.#name}: the pickle is cut short; download it again`);
  }
}
