/** Which taps a person means: `visual.transformer.resblocks.*.mlp`, `*attn#probabilities`. */

/** Patterns of tap names: `*` stands for any characters, dots included, `?` for one. */
export class TapGlobs {
  readonly #globs: readonly { readonly glob: string; readonly pattern: RegExp }[];
  readonly #unmatched: Set<string>;

  /** @param globs none: every module's output and the inputs */
  constructor(globs: readonly string[]) {
    const patterns = globs.length > 0 ? globs : ["*"];
    this.#globs = patterns.map((glob) => ({ glob, pattern: toPattern(glob) }));
    this.#unmatched = new Set(patterns);
  }

  /** Whether a tap is meant. Values that no PyTorch module has carry a `#`, which the pattern must name. */
  matches(name: string): boolean {
    let found = false;
    for (const { glob, pattern } of this.#globs) {
      if (!pattern.test(name) || (name.includes("#") && !glob.includes("#"))) continue;
      this.#unmatched.delete(glob);
      found = true;
    }
    return found;
  }

  /** Whether a name that begins so might be meant: if not, what it belongs to need not run. */
  mayMatch(...beginnings: readonly string[]): boolean {
    return this.#globs.some(({ glob }) => {
      const fixed = /^[^*?]*/.exec(glob)![0];
      return beginnings.some((beginning) => beginning.startsWith(fixed) || fixed.startsWith(beginning));
    });
  }

  /** Patterns that no name has matched so far. */
  get unmatched(): readonly string[] {
    return [...this.#unmatched];
  }
}

function toPattern(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
