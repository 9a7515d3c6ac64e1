/**
 * The pieces of a vocabulary as a tree of UTF-16 units in typed arrays.
 *
 * Nodes are numbers, the root is 0, and a hash table finds a node's child by its unit.
 */
import type { Vocabulary } from "./vocabulary.ts";

export class Trie {
  #nodes = 1;
  #parents: Int32Array;
  #units: Uint16Array;
  #ids: Int32Array;
  /** Open addressing with linear probing, at most half full. 0 marks an empty slot: the root is not a child. */
  #table: Int32Array;
  #shift: number;

  /**
   * If a piece occurs twice, the last id counts, as in Hugging Face's map of tokens.
   *
   * @param first the id of the first piece of the tree
   */
  constructor(vocabulary: Vocabulary, first = 0) {
    const { units } = vocabulary;
    let capacity = 1024;
    this.#parents = new Int32Array(capacity);
    this.#units = new Uint16Array(capacity);
    this.#ids = new Int32Array(capacity).fill(-1);
    this.#table = new Int32Array(2 * capacity);
    this.#shift = 32 - 11;
    for (let id = first; id < vocabulary.size; id++) {
      const start = vocabulary.start(id);
      const end = vocabulary.end(id);
      let node = 0;
      for (let index = start; index < end; index++) {
        const unit = units[index] ?? 0;
        const child = this.child(node, unit);
        if (child !== 0) {
          node = child;
          continue;
        }
        if (this.#nodes === capacity) this.#grow((capacity *= 2));
        this.#parents[this.#nodes] = node;
        this.#units[this.#nodes] = unit;
        node = this.#nodes++;
        this.#insert(node);
      }
      if (node !== 0) this.#ids[node] = id;
    }
  }

  /** The child of `node` with the given unit, or 0. */
  child(node: number, unit: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    for (let slot = this.#slot(node, unit); ; slot = (slot + 1) & mask) {
      const child = table[slot] ?? 0;
      if (child === 0 || (this.#parents[child] === node && this.#units[child] === unit)) return child;
    }
  }

  /** The id of the piece that ends at `node`, or -1. */
  id(node: number): number {
    return this.#ids[node] ?? -1;
  }

  /** The id of a piece, or -1. */
  find(piece: string): number {
    let node = 0;
    for (let index = 0; index < piece.length; index++) {
      node = this.child(node, piece.charCodeAt(index));
      if (node === 0) return -1;
    }
    return this.id(node);
  }

  #slot(node: number, unit: number): number {
    return Math.imul(Math.imul(node, 0x9e3779b1) ^ unit, 0x85ebca6b) >>> this.#shift;
  }

  #insert(node: number): void {
    const mask = this.#table.length - 1;
    let slot = this.#slot(this.#parents[node] ?? 0, this.#units[node] ?? 0);
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = node;
  }

  #grow(capacity: number): void {
    const parents = new Int32Array(capacity);
    parents.set(this.#parents);
    this.#parents = parents;
    const units = new Uint16Array(capacity);
    units.set(this.#units);
    this.#units = units;
    const ids = new Int32Array(capacity).fill(-1);
    ids.set(this.#ids);
    this.#ids = ids;
    this.#table = new Int32Array(2 * capacity);
    this.#shift--;
    for (let node = 1; node < this.#nodes; node++) this.#insert(node);
  }
}
