/** A linear probe on the classes: features of all layers, the fit, held-out accuracy by layer, predictions. */
import { computed, signal } from "@preact/signals";
import type { Metadata } from "../../lib/features/features.ts";
import { NoticeError, type Calls } from "../worker/protocol.ts";
import type { Progress } from "./asked.ts";
import type { Work } from "./long-work.ts";
import { call, model } from "./network.ts";
import { route } from "./navigation.ts";
import { probeClasses, type ClassImage } from "./probe-classes.ts";
import { follow, imagePass, modelInfo, withBytes } from "./session.ts";
import { trayImages } from "./tray.ts";

/** A probe file that the user has dropped. */
export const droppedProbe = signal<{ readonly name: string; readonly bytes: Uint8Array } | null>(null);

/** The outputs of the image tower's blocks, and the embedding. */
export const probeTaps = computed(() => [
  ...Array.from({ length: modelInfo.value?.layers ?? 0 }, (_, i) => `visual.transformer.resblocks.${i}`),
  "visual",
]);

/** The chosen tap, within what the model has. */
export const probeTap = computed(() =>
  probeTaps.value.includes(route.value.probeTap) ? route.value.probeTap : "visual",
);

/** The features of images by tap, each [width]; by pooling and image. */
const known = new Map<string, readonly Float32Array[]>();
let metadataOf: readonly Metadata[] = [];

/** Images that are embedded, of all; null while none are. */
export const embedding = signal<Progress | null>(null);
/** Why there is no probe; null if there is. */
export const probeProblem = signal<string | null>(null);

const images = computed(() => probeClasses.value.flatMap((one) => one.images));
const keyOf = (pool: string, { key }: ClassImage): string => `${pool} ${key}`;

/** In milliseconds, from the time of the last pass. */
const embedEstimate = computed(() => {
  const { pool } = route.value;
  const missing = images.value.filter((image) => !known.has(keyOf(pool, image))).length;
  return missing * (imagePass.value?.value.milliseconds ?? 0);
});

/** Longer work waits for the user. In milliseconds. */
const patience = 5000;
/** What was decided about a question: by the user, or because its work takes less. */
const decision = signal<{ readonly of: string; readonly runs: boolean } | null>(null);

const isOpen = computed(() => route.value.view === "probe");
const question = computed(() => {
  const { pool, C } = route.value;
  const classes = probeClasses.value.map(({ name, images: of }) => [name, ...of.map(({ key }) => key)]);
  return isOpen.value && model.value.status === "live" ? JSON.stringify([classes, pool, C]) : null;
});

/** Whether the work waits for the user. */
export const isWaiting = computed(() => {
  if (question.value === null) return false;
  return decision.value?.of === question.value ? !decision.value.runs : embedEstimate.value > patience;
});

function decide(runs: boolean): void {
  decision.value = question.peek() === null ? null : { of: question.peek()!, runs };
}

/** Images that are embedded are kept when it stops. */
export const embedWork: Work = {
  passes: computed(() => images.value.length),
  estimate: embedEstimate,
  isWanted: computed(() => !isWaiting.value),
  progress: embedding,
  start: () => {
    decide(true);
  },
  stop: () => {
    decide(false);
  },
};

type Fitted = Calls["fitLinearProbe"]["result"];

export interface LayerFit {
  readonly tap: string;
  readonly fitted: Fitted;
}

interface Probing {
  readonly of: string;
  readonly rows: number;
  readonly layers: readonly LayerFit[];
}

const found = signal<Probing | null>(null);
/** The fits of all layers, as far as they are. */
export const probing = computed(() =>
  found.value !== null && found.value.of === question.value ? found.value : null,
);

/** The fit of the chosen layer; null until it is there. */
export const fit = computed(
  () => probing.value?.layers.find(({ tap }) => tap === probeTap.value)?.fitted ?? null,
);

/** One iteration after another, of the chosen layer's fit. */
export const curve = signal<readonly Calls["fitLinearProbe"]["update"][]>([]);

/** Images that cross to the network at a time: a server takes 32 MB. */
const imagesAtOnce = 8;

follow(
  () => (isWaiting.value ? null : question.value),
  async (of, abort) => {
    if (found.peek()?.of === of) return;
    probeProblem.value = null;
    try {
      await embedMissing(abort);
      await fitLayers(of, abort);
    } catch (error) {
      if (abort.aborted || !(error instanceof NoticeError)) throw error;
      probeProblem.value = error.message;
    } finally {
      embedding.value = null;
    }
  },
);

async function embedMissing(signal: AbortSignal): Promise<void> {
  const { pool } = route.peek();
  const missing = images.peek().filter((image) => !known.has(keyOf(pool, image)));
  for (let start = 0; start < missing.length; start += imagesAtOnce) {
    embedding.value = { done: start, total: missing.length };
    // A slower pass of another image meanwhile does not stop work that has begun.
    if (start > 0) decide(true);
    const some = missing.slice(start, start + imagesAtOnce);
    const files = await Promise.all(
      some.map(async ({ key, name, bytes }) => ({ key, name, bytes: await bytes() })),
    );
    const params = { images: files, taps: probeTaps.peek(), pool, exifOrientation: false };
    const { features, indices, failures, metadata } = await call("embedTaps", params, { signal });
    const [failure] = failures;
    if (failure !== undefined) throw new NoticeError(failure.message);
    metadataOf = metadata;
    for (const [row, i] of indices.entries()) {
      const vectors = features.map((all) => {
        const width = all.length / indices.length;
        return all.slice(row * width, (row + 1) * width);
      });
      known.set(keyOf(pool, some[i]!), vectors);
    }
  }
}

/** Fits the chosen layer first, then the others. */
async function fitLayers(of: string, signal: AbortSignal): Promise<void> {
  const chosen = probeTap.peek();
  const order = [chosen, ...probeTaps.peek().filter((tap) => tap !== chosen)];
  const layers: LayerFit[] = [];
  for (const tap of order) {
    const steps: Calls["fitLinearProbe"]["update"][] = [];
    const params = paramsFor(tap);
    const fitted = await call("fitLinearProbe", params, {
      signal,
      onUpdate: (step) => {
        steps.push(step);
        if (tap === chosen) curve.value = [...steps];
      },
    });
    layers.push({ tap, fitted });
    found.value = { of, rows: params.labels.length, layers: [...layers] };
  }
}

function paramsFor(tap: string): Calls["fitLinearProbe"]["params"] {
  const { pool, C } = route.peek();
  const at = probeTaps.peek().indexOf(tap);
  const classes = probeClasses.peek();
  const labels = classes.flatMap(({ images: of }, label) => of.map(() => label));
  const rows = images.peek().map((image) => known.get(keyOf(pool, image))![at]!);
  const values = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  for (const [i, row] of rows.entries()) values.set(row, i * row.length);
  return { values, labels, classNames: classes.map(({ name }) => name), metadata: metadataOf[at] ?? {}, C };
}

/** Fits the chosen layer again, to show its iterations. */
follow(
  () => {
    const layers = probing.value?.layers.length === probeTaps.value.length ? probing.value.of : null;
    return layers === null ? null : `${probeTap.value}\n${layers}`;
  },
  async (_, abort) => {
    const steps: Calls["fitLinearProbe"]["update"][] = [];
    await call("fitLinearProbe", paramsFor(probeTap.peek()), {
      signal: abort,
      onUpdate: (step) => steps.push(step),
    });
    curve.value = steps;
  },
);

type Predictions = Calls["predictByProbe"]["result"];

interface Predicted {
  readonly of: string;
  /** Of the tray, as they were asked for. */
  readonly keys: readonly string[];
  readonly result: Predictions;
}

const predicted = signal<Predicted | null>(null);
let probeNumber = 0;
const numbers = new WeakMap<Uint8Array, number>();

/** The probe that classifies the tray's images: a dropped one, or the fitted one. */
export const usedProbe = computed(() => {
  const file = fit.value?.file;
  return droppedProbe.value ?? (file === undefined ? null : { name: "the fitted probe", bytes: file });
});

const wantedPredictions = computed(() => {
  if (!isOpen.value || usedProbe.value === null) return null;
  const { bytes } = usedProbe.value;
  if (!numbers.has(bytes)) numbers.set(bytes, probeNumber++);
  return [numbers.get(bytes), ...trayImages.value.map(({ key }) => key)].join("\n");
});

follow(
  () => wantedPredictions.value,
  async (of, abort) => {
    if (predicted.peek()?.of === of) return;
    const { name, bytes } = usedProbe.peek()!;
    const tray = trayImages.peek();
    try {
      const parts: Predictions[] = [];
      for (let start = 0; start < tray.length; start += imagesAtOnce) {
        const files = await Promise.all(tray.slice(start, start + imagesAtOnce).map(withBytes));
        parts.push(await call("predictByProbe", { name, bytes, images: files }, { signal: abort }));
      }
      const result = { ...parts[0]!, probabilities: parts.flatMap(({ probabilities }) => probabilities) };
      predicted.value = { of, keys: tray.map(({ key }) => key), result };
    } catch (error) {
      if (abort.aborted || !(error instanceof NoticeError)) throw error;
      droppedProbe.value = null;
      probeProblem.value = error.message;
    }
  },
);

/** What the probe says about the tray's images; null until it is there. */
export const predictions = computed(() =>
  predicted.value !== null && predicted.value.of === wantedPredictions.value ? predicted.value : null,
);

/** "visual.transformer.resblocks.2" as "Block 2". */
export function tapTitle(tap: string): string {
  const [, block] = /resblocks\.(\d+)$/.exec(tap) ?? [];
  return block === undefined ? "Embedding" : `Block ${block}`;
}
