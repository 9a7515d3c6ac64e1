/** The terms of a query in words. */
import type { QueryTerm } from "../query-vectors.ts";

/** "similarity to "a dog" − 0.5 · row 3" */
export function describeTerms(terms: readonly QueryTerm[]): string {
  const parts = terms.map((term, i) => {
    const { weight = 1 } = term;
    const factor = Math.abs(weight) === 1 ? "" : `${Math.abs(weight)} · `;
    const sign = weight < 0 ? "− " : i === 0 ? "" : "+ ";
    return `${sign}${factor}${nameOf(term)}`;
  });
  return `similarity to ${parts.join(" ")}`;
}

function nameOf(term: QueryTerm): string {
  if ("text" in term) return JSON.stringify(term.text);
  if ("id" in term) return `row ${term.id}`;
  if ("vector" in term) return "a vector";
  return typeof term.image === "string" ? term.image : "an image";
}
