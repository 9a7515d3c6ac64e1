/** How a tensor of one project's layout is made of the tensors of another's. */
export type Recipe =
  /** The same numbers in the same order; `rows` takes a part of the first dimension. */
  | {
      readonly kind: "copy";
      readonly from: string;
      readonly shape?: readonly number[];
      readonly rows?: RowRange;
    }
  /** Tensors below one another: query, key and value. */
  | { readonly kind: "join"; readonly from: readonly string[] }
  /** [a, b] → [b, a] */
  | { readonly kind: "transpose"; readonly from: string }
  /** A table [n, width], whose rows from `first` on have a vector [width] added. */
  | {
      readonly kind: "sum";
      readonly from: string;
      readonly shape: readonly [number, number];
      readonly vector: string;
      readonly first: number;
    }
  /** A scalar that the other project keeps in its code or its config. */
  | { readonly kind: "constant"; readonly value: number };

/** The part `index` of `of` equal parts of the rows. */
export interface RowRange {
  readonly index: number;
  readonly of: number;
}

/** Recipes by the names of the tensors that they make. */
export type Recipes = ReadonlyMap<string, Recipe>;

export const copy = (from: string, shape?: readonly number[]): Recipe =>
  shape === undefined ? { kind: "copy", from } : { kind: "copy", from, shape };
export const rows = (from: string, index: number, of: number): Recipe => ({
  kind: "copy",
  from,
  rows: { index, of },
});
export const join = (...from: string[]): Recipe => ({ kind: "join", from });
export const transpose = (from: string): Recipe => ({ kind: "transpose", from });
export const constant = (value: number): Recipe => ({ kind: "constant", value });

/** The weight and the bias of a module, copied. */
export function copyModule(to: string, from: string): [string, Recipe][] {
  return ["weight", "bias"].map((name) => [`${to}.${name}`, copy(`${from}.${name}`)]);
}

/** The names that a recipe reads. */
export function sourcesOf(recipe: Recipe): readonly string[] {
  switch (recipe.kind) {
    case "copy":
    case "transpose":
      return [recipe.from];
    case "join":
      return recipe.from;
    case "sum":
      return [recipe.from, recipe.vector];
    case "constant":
      return [];
  }
}
