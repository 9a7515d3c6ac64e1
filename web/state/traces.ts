/** Dropped traces and goldens that can be compared. They stay on this machine, and are read where they are. */
import { signal } from "@preact/signals";
import type { TensorStore } from "../../lib/tensor/store.ts";
import { StoredTrace } from "../../lib/trace/stored-trace.ts";
import type { TraceSource } from "../../lib/trace/trace-source.ts";

export interface DroppedTrace {
  readonly name: string;
  readonly source: TraceSource;
  /** Tells two files of the same name apart. */
  readonly opened: number;
}

const mostTraces = 8;

export const droppedTraces = signal<readonly DroppedTrace[]>([]);
let opened = 0;

/** Adds a file in place of one of the same name; beyond the limit, the oldest is forgotten. */
export function addTrace(name: string, store: TensorStore): void {
  const others = droppedTraces.value.filter((trace) => trace.name !== name);
  const added = { name, source: new StoredTrace(store), opened: opened++ };
  droppedTraces.value = [...others.slice(-(mostTraces - 1)), added];
}
