/** The network and its latest passes: loads the model, and runs a pass whenever the selection changes. */
import { computed, effect, signal } from "@preact/signals";
import type { ModelFiles } from "../../lib/browser/fetch-model.ts";
import type { Attention } from "../../lib/study/attention.ts";
import type { ImagePass, JointPass, ModelInfo, TextPass } from "../../lib/studio/results.ts";
import type { TapSummary } from "../../lib/trace/tap-summary.ts";
import { NoticeError, WorkerClient } from "../worker/client.ts";
import { notify, notifyError } from "./notices.ts";
import { route } from "./navigation.ts";
import { decodeFirstPass, type FirstPass, type StoredPass } from "./stored-pass.ts";
import { bytesOf, currentImage, currentText, removeImage, type TrayImage } from "./tray.ts";

export type ModelState =
  | { readonly status: "loading"; readonly loaded: number; readonly total: number }
  | { readonly status: "live"; readonly info: ModelInfo }
  | { readonly status: "failed"; readonly reason: string };

export const model = signal<ModelState>({ status: "loading", loaded: 0, total: 0 });

const worker = new Worker(new URL("../worker/worker.ts", import.meta.url), { type: "module" });
const client = new WorkerClient(worker);
worker.addEventListener("error", ({ message }) => {
  const reason = `The network stopped: ${message}. Reload the page.`;
  model.value = { status: "failed", reason };
  notify("error", reason);
  client.fail(new Error(reason));
});

/** A result, and the selection that it belongs to. */
interface Result<T> {
  readonly of: string;
  readonly value: T;
  /** From the page's files, not computed now. */
  readonly isStored: boolean;
}

const stored = signal<FirstPass | null>(null);
const liveImage = signal<Result<ImagePass> | null>(null);
const liveText = signal<Result<TextPass> | null>(null);
const liveJoint = signal<Result<JointPass> | null>(null);

/** The latest pass; while the next one runs, the one before it. */
export const imagePass = computed<Result<ImagePass> | null>(() => {
  const first = stored.value;
  return liveImage.value ?? (first && { of: first.imageKey, value: first.image, isStored: true });
});
export const textPass = computed<Result<TextPass> | null>(() => {
  const first = stored.value;
  return liveText.value ?? (first && { of: first.text, value: first.textPass, isStored: true });
});
export const jointPass = computed<Result<JointPass> | null>(() => {
  const first = stored.value;
  return liveJoint.value ?? (first && { of: "", value: first.joint, isStored: true });
});

export const modelInfo = computed<ModelInfo | null>(() =>
  model.value.status === "live" ? model.value.info : (stored.value?.model ?? null),
);

/** Whether what is shown belongs to the current selection. */
export const isCurrent = computed(
  () => imagePass.value?.of === currentImage.value?.key && textPass.value?.of === currentText.value.text,
);

/** The summaries of all taps, in the order of the computation. */
export const summaries = computed<readonly TapSummary[]>(() => [
  ...(imagePass.value?.value.taps ?? []),
  ...(textPass.value?.value.taps ?? []),
  ...(jointPass.value?.value.taps ?? []),
]);

/** What the server says about itself; static hosts have the demo model alone. */
interface Site {
  readonly model: { readonly name: string; readonly files: ModelFiles } | null;
}

const demo = {
  name: "Demo model",
  folder: "demo/",
  files: {
    config: "open_clip_config.json",
    weights: "open_clip_model.safetensors",
    tokenizer: "tokenizer.json",
  },
};

/** Loads the stored pass, then the model. */
export async function startSession(): Promise<void> {
  try {
    const { model: own } = await fetchJson<Site>("studio.json");
    if (own === null) void loadStored();
    const { name, folder, files } = own === null ? demo : { folder: "model/", ...own };
    const params = { name, folder: new URL(folder, document.baseURI).href, files };
    const info = await client.call("open", params, {
      onProgress: (loaded, total) => {
        model.value = { status: "loading", loaded, total };
      },
    });
    model.value = { status: "live", info };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    model.value = { status: "failed", reason };
    notifyError(error);
  }
}

async function loadStored(): Promise<void> {
  stored.value = decodeFirstPass(await fetchJson<StoredPass>("first-pass.json"));
}

async function fetchJson<T>(path: string): Promise<T> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: expected status 200, found ${response.status}`);
  return (await response.json()) as T;
}

/** Runs `run` for each value of `selection`; a newer value ends the work on the one before. */
function follow<S>(
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
    try {
      const value = await client.call("image", await withBytes(image), { signal });
      liveImage.value = { of: image.key, value, isStored: false };
    } catch (error) {
      if (signal.aborted || !(error instanceof NoticeError)) throw error;
      refuse(image.key, error.message);
    }
  },
);

follow(
  () => text.value,
  async (current, signal) => {
    const value = await client.call("text", { text: current }, { signal });
    liveText.value = { of: current, value, isStored: false };
  },
);

follow(
  () =>
    liveImage.value === null || liveText.value === null
      ? null
      : { image: liveImage.value.value.trace, text: liveText.value.value.trace },
  async (pair, signal) => {
    const value = await client.call("joint", pair, { signal });
    liveJoint.value = { of: "", value, isStored: false };
  },
);

/** Removes an image that cannot be read, and says why. */
function refuse(key: string, reason: string): void {
  notify("error", reason);
  removeImage(key);
}

async function withBytes(image: TrayImage): Promise<{ key: string; name: string; bytes: Uint8Array }> {
  return { key: image.key, name: image.name, bytes: await bytesOf(image) };
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
  return trace === null ? null : client.call("read", { trace, tap }, { ...(signal && { signal }) });
}

/** Attention of all layers of the current image; null before it is loaded. */
export const attention = signal<Result<readonly Attention[]> | null>(null);

follow(
  () => (route.value.view === "attention" ? liveImage.value : null),
  async ({ of, value: { trace, heads } }, signal) => {
    if (attention.peek()?.of === of) return;
    const layers = await Promise.all(
      heads.map((_, layer) =>
        client.call(
          "read",
          { trace, tap: `visual.transformer.resblocks.${layer}.attn#probabilities` },
          { signal },
        ),
      ),
    );
    attention.value = {
      of,
      isStored: false,
      value: layers.map((values, layer) => {
        const count = heads[layer]!.length;
        return { values, heads: count, length: Math.sqrt(values.length / count) };
      }),
    };
  },
);

/** The cosines of images and labels; null for an image that cannot be read, which leaves the tray. */
export async function match(
  images: readonly TrayImage[],
  labels: readonly string[],
  templates: readonly string[],
  signal: AbortSignal,
): Promise<readonly (readonly number[] | null)[]> {
  const files = await Promise.all(images.map(withBytes));
  const { cosines, failures } = await client.call("match", { images: files, labels, templates }, { signal });
  for (const { key, message } of failures) refuse(key, message);
  return cosines;
}
