/** Patterns that select taps: `visual.transformer.resblocks.*.mlp`, `*attn#probabilities`. */

/** Patterns of tap names. `*` matches any characters, dots included, and `?` matches one. */
export class TapGlobs {
  readonly #globs: readonly { readonly glob: string; readonly pattern: RegExp }[];
  readonly #unmatched: Set<string>;

  /** @param globs if empty, all module outputs and the inputs match */
  constructor(globs: readonly string[]) {
    const patterns = globs.length > 0 ? globs : ["*"];
    this.#globs = patterns.map((glob) => ({ glob, pattern: toPattern(glob) }));
    this.#unmatched = new Set(patterns);
  }

  /** Whether a pattern matches a tap. Only a pattern with a `#` matches a name with a `#`. */
  matches(name: string): boolean {
    let found = false;
    for (const { glob, pattern } of this.#globs) {
      if (!pattern.test(name) || (name.includes("#") && !glob.includes("#"))) continue;
      this.#unmatched.delete(glob);
      found = true;
    }
    return found;
  }

  /** Whether a pattern could match a name with one of these beginnings. If not, that part need not run. */
  mayMatch(...beginnings: readonly string[]): boolean {
    return this.#globs.some(({ glob }) => {
      const fixed = /^[^*?]*/.exec(glob)![0];
      return beginnings.some((beginning) => beginning.startsWith(fixed) || fixed.startsWith(beginning));
    });
  }

  /** Patterns that have not matched any name so far. */
  get unmatched(): readonly string[] {
    return [...this.#unmatched];
  }
}

function toPattern(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
