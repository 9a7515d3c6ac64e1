/** Search in a features file: a dropped one, or that of the tray's images. */
import { computed, effect, signal } from "@preact/signals";
import { encodeFeatures } from "../../lib/features/features-file.ts";
import type { DataCalls, FeaturesMap, Found, OpenFeatures } from "../worker/data-protocol.ts";
import { WorkerClient } from "../worker/client.ts";
import { NoticeError } from "../worker/protocol.ts";
import { call, model } from "./network.ts";
import { notify, notifyError } from "./notices.ts";
import { route } from "./navigation.ts";
import { follow, withBytes } from "./session.ts";
import { currentImage, currentText, trayImages } from "./tray.ts";

interface Opened extends OpenFeatures {
  readonly isTray: boolean;
  /** Tells two files of the same name apart. */
  readonly opened: number;
  readonly exifOrientation: boolean;
}

export const openFeatures = signal<Opened | null>(null);
/** Why a file cannot be searched; null if it can. */
export const searchProblem = signal<string | null>(null);

/** Results that are shown. */
export const mostResults = 24;
/** Points of the map. */
const mostPoints = 20_000;

let client: WorkerClient<DataCalls> | null = null;
let opened = 0;

function data(): WorkerClient<DataCalls> {
  if (client !== null) return client;
  const worker = new Worker(new URL("../worker/data-worker.ts", import.meta.url), { type: "module" });
  const started = new WorkerClient<DataCalls>(worker);
  worker.addEventListener("error", ({ message }) => {
    const reason = `The search stopped: ${message}. Open the features file again.`;
    client = null;
    openFeatures.value = null;
    notify("error", reason);
    started.fail(new Error(reason));
  });
  client = started;
  return started;
}

/** Whether the tray's images are searched, or a dropped file. */
const source = signal<"tray" | "file">("tray");

/** Opens a dropped features file. One of another model is refused, as by the command line. */
export async function openFeaturesFile(name: string, blob: Blob): Promise<void> {
  source.value = "file";
  await open(name, blob, false);
}

async function open(name: string, blob: Blob, isTray: boolean): Promise<void> {
  const number = opened++;
  openFeatures.value = null;
  searchProblem.value = null;
  try {
    const file = await data().call("open", { name, blob });
    const { exifOrientation } = await call("acceptFeatures", { name, metadata: file.metadata });
    // A newer file may have been opened meanwhile.
    if (number === opened - 1) openFeatures.value = { ...file, isTray, opened: number, exifOrientation };
  } catch (error) {
    if (!(error instanceof NoticeError)) throw error;
    searchProblem.value = error.message;
  }
}

/** Returns to the tray's images. */
export function closeFeatures(): void {
  source.value = "tray";
  openFeatures.value = null;
  searchProblem.value = null;
  trayKeys.value = "";
}

const isOpen = computed(() => route.value.view === "search");

/** The images whose features are open; empty for a file. */
const trayKeys = signal("");

follow(
  () => {
    const needed = isOpen.value && source.value === "tray";
    const keys = trayImages.value.map(({ key }) => key).join("\n");
    return needed && keys !== trayKeys.value ? keys : null;
  },
  async (keys, abort) => {
    const images = trayImages.peek();
    const params = { taps: ["visual"], pool: "class", exifOrientation: false } as const;
    const files = await Promise.all(images.map(withBytes));
    const { features, indices, metadata } = await call(
      "embedTaps",
      { images: files, ...params },
      { signal: abort },
    );
    abort.throwIfAborted();
    const values = features[0]!;
    const parts = encodeFeatures({
      values,
      rows: indices.length,
      width: values.length / indices.length,
      labels: null,
      classNames: null,
      paths: indices.map((i) => images[i]!.name),
      metadata: metadata[0]!,
    });
    await open("the tray", new Blob(parts as Uint8Array<ArrayBuffer>[]), true);
    trayKeys.value = keys;
  },
);

export const query = computed(() => route.value.query ?? currentText.value.text);

const wanted = computed(() => {
  const file = openFeatures.value;
  if (!isOpen.value || file === null) return null;
  const { searchBy, row } = route.value;
  const what = { text: query.value, image: currentImage.value?.key ?? "", row: `${row}` }[searchBy];
  return what.trim() === "" ? null : JSON.stringify([file.opened, searchBy, what]);
});

interface Results {
  readonly of: string;
  readonly found: readonly Found[];
  /** Of the search alone. */
  readonly milliseconds: number;
}

const latest = signal<Results | null>(null);
/** Rows that a search of a file has read; null while none runs. */
export const searched = signal<number | null>(null);

/** The results of the current query; while it runs, those of the one before. */
export const results = computed(() => (openFeatures.value === null ? null : latest.value));
export const isFresh = computed(() => latest.value !== null && latest.value.of === wanted.value);

follow(
  () => wanted.value,
  async (of, abort) => {
    if (latest.peek()?.of === of) return;
    try {
      const vector = await queryVector(abort);
      const answer = await data().call(
        "search",
        { query: vector, top: mostResults },
        {
          signal: abort,
          onProgress: (done) => {
            searched.value = done;
          },
        },
      );
      latest.value = { of, ...answer };
    } finally {
      searched.value = null;
    }
  },
);

async function queryVector(signal: AbortSignal): Promise<Float32Array | number> {
  const { searchBy, row } = route.peek();
  const { rows, exifOrientation } = openFeatures.peek()!;
  if (searchBy === "row") return Math.min(row, rows - 1);
  if (searchBy === "text") return call("embedText", { text: query.peek() }, { signal });
  const images = [await withBytes(currentImage.peek()!)];
  const params = { images, taps: ["visual"], pool: "class", exifOrientation } as const;
  const { features, failures } = await call("embedTaps", params, { signal });
  const [failure] = failures;
  if (failure !== undefined) throw new NoticeError(failure.message);
  return features[0]!;
}

/** The features on two directions; null until they are there. */
export const featuresMap = signal<(FeaturesMap & { readonly opened: number }) | null>(null);

effect(() => {
  const file = openFeatures.value;
  if (!isOpen.value || file === null || file.rows < 2 || model.value.status !== "live") return;
  if (featuresMap.peek()?.opened === file.opened) return;
  const controller = new AbortController();
  data()
    .call("map", { most: mostPoints }, { signal: controller.signal })
    .then((map) => {
      featuresMap.value = { ...map, opened: file.opened };
    }, notifyError);
  return () => {
    controller.abort();
  };
});
