/** What views share: cards, the selected tap, and what the architecture's tables say about it. */
import { computed, signal } from "@preact/signals";
import { tapDocs } from "virtual:tap-docs";
import { docOf } from "../../lib/trace/tap-docs.ts";
import { cardsOf } from "./cards.ts";
import { route } from "./navigation.ts";
import { summaries } from "./session.ts";

export const cards = computed(() => cardsOf(summaries.value.map(({ name }) => name)));

export const summaryOf = computed(() => new Map(summaries.value.map((summary) => [summary.name, summary])));

/** The summary of the selected tap; null if none is selected, or the pass has no such tap. */
export const selected = computed(() => {
  const { tap } = route.value;
  return tap === null ? null : (summaryOf.value.get(tap) ?? null);
});

export function documentation(tap: string) {
  return docOf(tap, tapDocs);
}

/** Cards that show all their taps. */
export const unfolded = signal<ReadonlySet<string>>(new Set());

export function toggleCard(id: string): void {
  const next = new Set(unfolded.value);
  if (!next.delete(id)) next.add(id);
  unfolded.value = next;
}

/** Unfolds the card of a tap. */
export function reveal(tap: string): void {
  const card = cards.peek().find(({ taps }) => taps.includes(tap));
  if (card !== undefined) unfolded.value = new Set([...unfolded.peek(), card.id]);
}

export type Dialog = "search" | "help" | "inputs" | "table";
export const openDialog = signal<Dialog | null>(null);
