/**
 * The filters that clip-retrieval's clients ask for. A filter that is asked for and not available is an error, unless
 * the server was started with `--ignore-filter` for it; then the answer names it.
 */
import { Problem } from "./problem.ts";

/** The filters. */
export const filterNames = ["safety", "violence", "aesthetic", "mclip"] as const;
/** One of the filters. */
export type FilterName = (typeof filterNames)[number];

/** What serves the filters. */
export interface Filters {
  /** A condition on the metadata that safe rows fulfil. */
  readonly safety?: string;
  /** A condition on the metadata that rows without violence fulfil. */
  readonly violence?: string;
  /** An embedding for each score from 0 to 9. */
  readonly aesthetic?: readonly Float32Array[];
  /** Filters that are not available and not refused. */
  readonly ignored: ReadonlySet<FilterName>;
}

/** What a request asks for. */
export interface AskedFilters {
  readonly safety: boolean;
  readonly violence: boolean;
  /** Search with a text encoder for more languages than the model's own. */
  readonly mclip: boolean;
  readonly aesthetic: { readonly score: number; readonly weight: number } | null;
}

/** What a request gets. */
export interface AppliedFilters {
  readonly conditions: readonly string[];
  /** To be added to the query of norm 1. */
  readonly added: { readonly vector: Float32Array; readonly weight: number } | null;
  /** The request's fields that have no effect. */
  readonly ignored: readonly string[];
}

/** The field of a request, and what makes its filter available. */
const fields: Readonly<
  Record<FilterName, { readonly field: string; readonly off: string; readonly option: string | null }>
> = {
  safety: { field: "use_safety_model", off: "false", option: "--safe-where CONDITION" },
  violence: { field: "use_violence_detector", off: "false", option: "--nonviolent-where CONDITION" },
  aesthetic: { field: "aesthetic_score", off: '""', option: "--aesthetic FILE" },
  mclip: { field: "use_mclip", off: "false", option: null },
};

/** @throws Problem for a filter that is asked for and not available */
export function applyFilters(asked: AskedFilters, filters: Filters): AppliedFilters {
  const ignored: string[] = [];
  const use = <T>(name: FilterName, isAsked: boolean, filter: T | undefined): T | null => {
    if (!isAsked) return null;
    if (filter !== undefined) return filter;
    if (!filters.ignored.has(name)) throw unavailable(name);
    ignored.push(fields[name].field);
    return null;
  };
  const conditions = [
    use("safety", asked.safety, filters.safety),
    use("violence", asked.violence, filters.violence),
  ].filter((condition) => condition !== null);
  // Without a weight the score has no effect.
  const isScored = asked.aesthetic !== null && asked.aesthetic.weight !== 0;
  const embeddings = use("aesthetic", isScored, filters.aesthetic);
  use("mclip", asked.mclip, undefined);
  const added =
    embeddings === null
      ? null
      : { vector: embeddings[asked.aesthetic!.score]!, weight: asked.aesthetic!.weight };
  return { conditions, added, ignored };
}

function unavailable(name: FilterName): Problem {
  const { field, off, option } = fields[name];
  const start = `--ignore-filter ${name}`;
  const options = option === null ? start : `${option} or ${start}`;
  return new Problem(
    400,
    `${field}: this server has no ${name} filter; send ${off}, or start the server with ${options}`,
  );
}
