/** The two sides of a comparison: passes of a network, or dropped files. */
import { computed, signal } from "@preact/signals";
import { JoinedTrace } from "../../lib/trace/joined-trace.ts";
import type { TraceSource } from "../../lib/trace/trace-source.ts";
import type { Client } from "../worker/protocol.ts";
import { model, network } from "./network.ts";
import { notifyError } from "./notices.ts";
import { route } from "./navigation.ts";
import { otherModel } from "./other-model.ts";
import { RemoteTrace } from "./remote-trace.ts";
import { currentTraces, follow, runPair, type KeptTrace } from "./session.ts";
import { droppedTraces } from "./traces.ts";
import { currentImage, currentText, pinnedImage, pinnedText } from "./tray.ts";

export interface Side {
  /** Identifies what is compared. */
  readonly of: string;
  readonly source: TraceSource;
  /** Where the traces are kept; null for a file. */
  readonly kept: { readonly client: Client; readonly traces: readonly string[] } | null;
}

/** The passes of a side, and what they belong to. */
interface Run {
  readonly of: string;
  readonly traces: readonly KeptTrace[];
}

const isOpen = computed(() => route.value.view === "compare");
const isUsed = (name: string): boolean => [route.value.sideA, route.value.sideB].includes(name);

const pinnedRun = signal<Run | null>(null);
const otherRun = signal<Run | null>(null);

/** What is pinned; where only an image or a text is, with the current one of the other. */
export const pinnedPair = computed(() => {
  const image = pinnedImage.value ?? currentImage.value;
  const nothing = pinnedImage.value === null && pinnedText.value === null;
  return nothing || image === null ? null : { image, text: pinnedText.value ?? currentText.value.text };
});

const pinnedKey = computed(() =>
  pinnedPair.value === null ? null : JSON.stringify([pinnedPair.value.image.key, pinnedPair.value.text]),
);

follow(
  () => (isOpen.value && isUsed("pinned") ? pinnedKey.value : null),
  async (of, abort) => {
    if (pinnedRun.peek()?.of === of) return;
    const { image, text } = pinnedPair.peek()!;
    pinnedRun.value = { of, traces: await runPair(network, image, text, abort) };
  },
);

const otherKey = computed(() => {
  const other = otherModel.value;
  return other === null || currentImage.value === null
    ? null
    : JSON.stringify([other.info.name, currentImage.value.key, currentText.value.text]);
});

follow(
  () => (isOpen.value && isUsed("model") ? otherKey.value : null),
  async (of, abort) => {
    if (otherRun.peek()?.of === of) return;
    const traces = await runPair(
      otherModel.peek()!.client,
      currentImage.peek()!,
      currentText.peek().text,
      abort,
    );
    otherRun.value = { of, traces };
  },
);

function keptSide(of: string, client: Client, traces: readonly KeptTrace[]): Side {
  return {
    of,
    source: new JoinedTrace(traces.map((trace) => new RemoteTrace(client, trace))),
    kept: { client, traces: traces.map(({ trace }) => trace) },
  };
}

/** A side by its name in the address; null until it is there. */
function sideOf(name: string): Side | null {
  if (name.startsWith("file:")) {
    const file = droppedTraces.value.find((trace) => `file:${trace.name}` === name);
    return file === undefined ? null : { of: `${name} ${file.opened}`, source: file.source, kept: null };
  }
  if (model.value.status !== "live") return null;
  if (name === "current") {
    const traces = currentTraces.value;
    return traces && keptSide(traces.map(({ trace }) => trace).join("\n"), network, traces);
  }
  const [run, wanted] = name === "pinned" ? [pinnedRun, pinnedKey] : [otherRun, otherKey];
  if (run.value === null || run.value.of !== wanted.value) return null;
  const client = name === "pinned" ? network : otherModel.value!.client;
  return keptSide(`${name} ${run.value.of}`, client, run.value.traces);
}

export const sideA = computed(() => sideOf(route.value.sideA));
export const sideB = computed(() => sideOf(route.value.sideB));

/** What a side is, in words. */
export function sideTitle(name: string): string {
  if (name.startsWith("file:")) return name.slice("file:".length);
  if (name === "current") return `${currentImage.value?.name ?? "image"} × “${currentText.value.text}”`;
  if (name === "model") return `${otherModel.value?.info.name ?? "other model"}, current inputs`;
  const pair = pinnedPair.value;
  return pair === null ? "pinned as B" : `${pair.image.name} × “${pair.text}”`;
}

/** Reads a tap of both sides. */
export async function readBoth(tap: string): Promise<readonly [Float32Array, Float32Array] | null> {
  const [a, b] = [sideA.peek(), sideB.peek()];
  if (a === null || b === null) return null;
  try {
    return await Promise.all([a.source.read(tap), b.source.read(tap)]);
  } catch (error) {
    notifyError(error);
    return null;
  }
}
