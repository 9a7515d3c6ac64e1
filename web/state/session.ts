/** The network and its latest passes: loads the model, and runs a pass whenever the selection changes. */
import { computed, effect, signal, type Signal } from "@preact/signals";
import type { ImagePart, ImagePass, JointPass, ModelInfo, TextPass } from "../../lib/studio/results.ts";
import type { TapSummary } from "../../lib/trace/tap-summary.ts";
import { NoticeError, type Client } from "../worker/protocol.ts";
import { call, fetchJson, model, openModel } from "./network.ts";
import { notify, notifyError } from "./notices.ts";
import { decodeFirstPass, type FirstPass, type StoredPass } from "./stored-pass.ts";
import { bytesOf, currentImage, currentText, removeImage, type TrayImage } from "./tray.ts";

/** A result, and the selection that it belongs to. */
export interface Result<T> {
  readonly of: string;
  readonly value: T;
  /** From the page's files, not computed now. */
  readonly isStored: boolean;
}

const stored = signal<FirstPass | null>(null);
const liveImage = signal<Result<ImagePass> | null>(null);
const liveText = signal<Result<TextPass> | null>(null);
const liveJoint = signal<Result<JointPass> | null>(null);

/** What a pass that takes long has found so far. */
const partialImage = signal<Result<ImagePass> | null>(null);

/** The image pass that runs: blocks done of all; null if none runs. */
export const running = signal<{
  readonly done: number;
  readonly total: number;
  readonly cancel: () => void;
} | null>(null);

/** In milliseconds. A pass that takes longer is shown while it runs; before, the pass before it. */
const patience = 400;

/** The latest pass; while the next one runs, what it has found, or the one before it. */
export const imagePass = computed<Result<ImagePass> | null>(() => {
  const first = stored.value;
  return (
    partialImage.value ??
    liveImage.value ??
    (first && { of: first.imageKey, value: first.image, isStored: true })
  );
});
export const textPass = computed<Result<TextPass> | null>(() => {
  const first = stored.value;
  return liveText.value ?? (first && { of: first.text, value: first.textPass, isStored: true });
});
export const jointPass = computed<Result<JointPass> | null>(() => {
  const first = stored.value;
  if (liveJoint.value !== null || first === null) return liveJoint.value;
  return { of: pairOf(first.imageKey, first.text), value: first.joint, isStored: true };
});

export const modelInfo = computed<ModelInfo | null>(() =>
  "info" in model.value ? model.value.info : (stored.value?.model ?? null),
);

/** Whether what is shown belongs to the current selection. */
export const isCurrent = computed(
  () =>
    !isFilling.value &&
    imagePass.value?.of === currentImage.value?.key &&
    textPass.value?.of === currentText.value.text,
);

/** While another backend is started, the latest passes stay and are marked as outdated. */
effect(() => {
  if (model.value.status !== "loading") return;
  outdate(liveImage);
  outdate(liveText);
  outdate(liveJoint);
});

function outdate<T>(live: Signal<Result<T> | null>): void {
  const result = live.peek();
  if (result !== null) live.value = { ...result, of: "" };
}

/** Whether the shown image pass still runs. */
export const isFilling = computed(() => partialImage.value !== null);

/** Whether the shown similarity is that of the current image and text. */
export const isJointCurrent = computed(
  () => jointPass.value?.of === pairOf(currentImage.value?.key ?? "", currentText.value.text),
);

function pairOf(image: string, words: string): string {
  return `${image}\n${words}`;
}

/** The summaries of all taps, in the order of the computation. */
export const summaries = computed<readonly TapSummary[]>(() => [
  ...(imagePass.value?.value.taps ?? []),
  ...(textPass.value?.value.taps ?? []),
  ...(jointPass.value?.value.taps ?? []),
]);

/** Loads the stored pass of the demo model, and the model. */
export function startSession(): Promise<void> {
  return openModel(({ server }) => {
    if (server !== null) return;
    fetchJson<StoredPass>("first-pass.json").then((first) => {
      stored.value = decodeFirstPass(first);
    }, notifyError);
  });
}

/** Runs `run` for each value of `selection`; a newer value ends the work on the one before. */
export function follow<S>(
  selection: () => S | null,
  run: (selected: S, signal: AbortSignal) => Promise<void>,
): void {
  effect(() => {
    const selected = selection();
    if (selected === null || model.value.status !== "live") return;
    const controller = new AbortController();
    run(selected, controller.signal).catch((error: unknown) => {
      if (!controller.signal.aborted) notifyError(error);
    });
    return () => {
      controller.abort();
    };
  });
}

const imageKey = computed(() => currentImage.value?.key ?? null);
const text = computed(() => currentText.value.text);

follow(
  () => (imageKey.value === null ? null : currentImage.peek()),
  async (image, signal) => {
    const cancelled = new AbortController();
    const start = performance.now();
    let parts: ImagePass | null = null;
    try {
      const end = await call("image", await withBytes(image), {
        signal: AbortSignal.any([signal, cancelled.signal]),
        onProgress: (done, total) => {
          if (performance.now() - start < patience) return;
          running.value = {
            done,
            total,
            cancel: () => {
              cancelled.abort();
            },
          };
        },
        onUpdate: (part) => {
          parts = joined(parts, part);
          if (parts === null || performance.now() - start < patience) return;
          partialImage.value = { of: image.key, value: parts, isStored: false };
        },
      });
      liveImage.value = { of: image.key, value: { ...parts!, ...end }, isStored: false };
    } catch (error) {
      if (signal.aborted || cancelled.signal.aborted || !isAbout(image, error)) throw error;
      refuse(image.key, error.message);
    } finally {
      partialImage.value = null;
      running.value = null;
    }
  },
);

/** A pass that has come this far. */
function joined(pass: ImagePass | null, { taps, heads, inputs }: ImagePart): ImagePass | null {
  if (inputs !== null) return { trace: "", milliseconds: 0, taps, heads, ...inputs };
  return pass && { ...pass, taps: [...pass.taps, ...taps], heads: [...pass.heads, ...heads] };
}

follow(
  () => text.value,
  async (current, signal) => {
    const value = await call("text", { text: current }, { signal });
    liveText.value = { of: current, value, isStored: false };
  },
);

follow(
  () =>
    liveImage.value === null || liveText.value === null
      ? null
      : { image: liveImage.value, text: liveText.value },
  async ({ image, text: words }, signal) => {
    const pair = { image: image.value.trace, text: words.value.trace };
    const value = await call("joint", pair, { signal });
    liveJoint.value = { of: pairOf(image.of, words.of), value, isStored: false };
  },
);

/** Whether an image cannot be read. Other errors, such as a full disk of the server, are no reason to drop it. */
function isAbout({ name }: TrayImage, error: unknown): error is NoticeError {
  return error instanceof NoticeError && error.message.startsWith(`${name}: `);
}

/** Removes an image that cannot be read, and says why. */
function refuse(key: string, reason: string): void {
  notify("error", reason);
  removeImage(key);
}

/** An image with its file. */
export async function withBytes(image: TrayImage): Promise<{ key: string; name: string; bytes: Uint8Array }> {
  return { key: image.key, name: image.name, bytes: await bytesOf(image) };
}

/** A kept trace, and the taps that it holds. */
export type KeptTrace = Pick<ImagePass, "trace" | "taps">;

/** The traces of the current image, text and their similarity; null until the network has run them. */
export const currentTraces = computed<readonly KeptTrace[] | null>(() => {
  const [image, words, pair] = [liveImage.value?.value, liveText.value?.value, liveJoint.value?.value];
  if (image === undefined || words === undefined || pair === undefined || !isCurrent.value) return null;
  return pair.trace === `${image.trace}\n${words.trace}` ? [image, words, pair] : null;
});

/** Runs an image and a text on a network that keeps their traces. A model without a tokenizer runs the image alone. */
export async function runPair(
  client: Client,
  image: TrayImage,
  words: string,
  signal: AbortSignal,
): Promise<readonly KeptTrace[]> {
  let parts: ImagePass | null = null;
  const end = await client.call("image", await withBytes(image), {
    signal,
    onUpdate: (part) => {
      parts = joined(parts, part);
    },
  });
  const seen = { ...parts!, ...end };
  try {
    const read = await client.call("text", { text: words }, { signal });
    const pair = await client.call("joint", { image: seen.trace, text: read.trace }, { signal });
    return [seen, read, pair];
  } catch (error) {
    if (!(error instanceof NoticeError)) throw error;
    notify("warning", error.message);
    return [seen];
  }
}

/** The trace that holds a tap; null if its pass is not in memory. */
function traceOf(tap: string): string | null {
  for (const { value } of [liveImage, liveText, liveJoint]) {
    if (value?.value.taps.some(({ name }) => name === tap) === true) return value.value.trace;
  }
  return null;
}

/** A tap's values in the current pass; null before the network is loaded. */
export async function readTap(tap: string, signal?: AbortSignal): Promise<Float32Array | null> {
  const trace = traceOf(tap);
  return trace === null ? null : call("read", { trace, tap }, { ...(signal && { signal }) });
}

/** The trace of the current image's pass; null before the network has run it. */
export const imageTrace = computed(() => liveImage.value?.value.trace ?? null);

/** The trace of the current text's pass; null before the network has run it. */
export const textTrace = computed(() => liveText.value?.value.trace ?? null);

/** Runs the image tower on another image of the tray. @returns the trace */
export async function traceOfImage(image: TrayImage, signal: AbortSignal): Promise<string> {
  return (await call("image", await withBytes(image), { signal })).trace;
}

/** The cosines of images and labels; null for an image that cannot be read, which leaves the tray. */
export async function match(
  images: readonly TrayImage[],
  labels: readonly string[],
  templates: readonly string[],
  signal: AbortSignal,
): Promise<readonly (readonly number[] | null)[]> {
  const readable: string[] = [];
  for (const image of images) {
    try {
      if (!embedded.has(image.key)) await call("embed", await withBytes(image), { signal });
      embedded.add(image.key);
      readable.push(image.key);
    } catch (error) {
      if (signal.aborted || !isAbout(image, error)) throw error;
      refuse(image.key, error.message);
    }
  }
  const { cosines } = await call("match", { images: readable, labels, templates }, { signal });
  return images.map(({ key }) => cosines[readable.indexOf(key)] ?? null);
}

/** Keys of the images whose embeddings the network has. */
const embedded = new Set<string>();
effect(() => {
  if (model.value.status !== "live") embedded.clear(); // a server that was started again has none
});
