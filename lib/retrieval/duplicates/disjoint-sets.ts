/** Union-find: the connected components of rows that are joined in pairs. */

export class DisjointSets {
  /** The parent of each element; a root is its own. */
  readonly #parents: Uint32Array;

  /** @param count elements, each alone at first; less than 2^32 */
  constructor(count: number) {
    this.#parents = Uint32Array.from({ length: count }, (_, i) => i);
  }

  /** The least element of the set: it does not depend on the order of joining. */
  find(element: number): number {
    const parents = this.#parents;
    let root = element;
    while (parents[root] !== root) root = parents[root]!;
    for (let at = element; at !== root;) {
      const next = parents[at]!;
      parents[at] = root;
      at = next;
    }
    return root;
  }

  /** @returns whether they were in different sets */
  join(a: number, b: number): boolean {
    const [x, y] = [this.find(a), this.find(b)];
    if (x === y) return false;
    this.#parents[Math.max(x, y)] = Math.min(x, y);
    return true;
  }
}
