/** The goldens and reports that can be shown: two that the page has, and dropped files. */
import { signal } from "@preact/signals";
import { fetchBytes } from "../../lib/browser/fetch-bytes.ts";
import { recognise } from "../../lib/browser/recognise.ts";
import { decodeReport, type StoredReport } from "../../lib/parity/report-json.ts";
import type { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { goldenNames } from "./route.ts";

export interface OpenGolden {
  readonly kind: "golden";
  readonly name: string;
  readonly blob: Blob;
  /** The model that it was made with, as far as the file tells. */
  readonly origin: string;
  /** Versions of the reference. */
  readonly reference: string;
  /** Whether its taps are whole, as running each module on the golden's input requires. */
  readonly isWhole: boolean;
}

export interface OpenReport {
  readonly kind: "report";
  readonly name: string;
  readonly report: StoredReport;
}

/** Dropped files by name. */
export const droppedGoldens = signal<ReadonlyMap<string, OpenGolden | OpenReport>>(new Map());

export const goldenTitles: Readonly<Record<(typeof goldenNames)[number], string>> = {
  "both-towers": "Demo model, both towers, 128 values of each",
  "text-tower": "Demo model, text tower, whole values",
};

export function addGolden(file: File, store: SafetensorsFile): void {
  add(describe(file.name, file, store));
}

export function addReport(name: string, json: Parameters<typeof decodeReport>[0]): void {
  add({ kind: "report", name, report: decodeReport(json) });
}

function add(golden: OpenGolden | OpenReport): void {
  droppedGoldens.value = new Map([...droppedGoldens.value, [golden.name, golden]]);
}

/** A golden by its name in the address; null if its file is not here. @throws InputError if it cannot be loaded */
export async function findGolden(name: string): Promise<OpenGolden | OpenReport | null> {
  if (name.startsWith("file:")) return droppedGoldens.peek().get(name.slice("file:".length)) ?? null;
  const file = `${name}.safetensors`;
  const blob = new Blob([(await fetchBytes(`demo/goldens/${file}`)) as Uint8Array<ArrayBuffer>]);
  const found = await recognise(file, blob);
  return found.kind === "golden" ? describe(file, blob, found.store) : null;
}

function describe(name: string, blob: Blob, { metadata }: SafetensorsFile): OpenGolden {
  const { command = "", open_clip: openClip, torch } = metadata;
  const [, model] = /--(?:model|arch) ('[^']+'|\S+)/.exec(command) ?? [];
  const versions = [openClip && `open_clip ${openClip}`, torch && `PyTorch ${torch}`]
    .filter(Boolean)
    .join(", ");
  return {
    kind: "golden",
    name,
    blob,
    origin: metadata["arch"] ?? model ?? "a model that the file does not name",
    reference: versions === "" ? "the reference" : versions,
    isWhole: metadata["samples"] === undefined,
  };
}
