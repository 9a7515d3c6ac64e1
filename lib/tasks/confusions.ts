/** Which classes a classifier takes for which others. */

/** Recall and precision of one class. */
export interface ClassReport {
  /** The number of examples of the class. */
  readonly examples: number;
  /** The fraction of its examples that are classified as it; undefined without examples. */
  readonly recall: number | undefined;
  /** The fraction of examples classified as it that belong to it; undefined if there are none. */
  readonly precision: number | undefined;
}

/** The confusion matrix, and the figures of each class. */
export interface ConfusionMatrix {
  readonly classes: readonly ClassReport[];
  /**
   * For each true class: predicted class → number of examples. Pairs that do not occur are absent, so the size is
   * limited by the number of examples and does not grow with the square of the number of classes.
   */
  readonly confusion: readonly ReadonlyMap<number, number>[];
}

/** Counts pairs of true and predicted classes. */
export class Confusions {
  readonly #pairs: readonly Map<number, number>[];

  constructor(classes: number) {
    this.#pairs = Array.from({ length: classes }, () => new Map<number, number>());
  }

  add(label: number, predicted: number): void {
    const of = this.#pairs[label]!;
    of.set(predicted, (of.get(predicted) ?? 0) + 1);
  }

  matrix(): ConfusionMatrix {
    const predicted = new Float64Array(this.#pairs.length);
    for (const row of this.#pairs) for (const [c, count] of row) predicted[c]! += count;
    const classes = this.#pairs.map((row, c): ClassReport => {
      const right = row.get(c) ?? 0;
      const examples = [...row.values()].reduce((sum, count) => sum + count, 0);
      return {
        examples,
        recall: examples === 0 ? undefined : right / examples,
        precision: predicted[c] === 0 ? undefined : right / predicted[c]!,
      };
    });
    return { classes, confusion: this.#pairs };
  }
}

/** The index of the largest value; the first one of several. */
export function best(values: ArrayLike<number>): number {
  let at = 0;
  let most = values[0]!;
  for (let i = 1; i < values.length; i++) {
    const value = values[i]!;
    if (value > most) {
      at = i;
      most = value;
    }
  }
  return at;
}
