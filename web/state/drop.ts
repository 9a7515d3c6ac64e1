/** Opens what the user drops, pastes or chooses. Files are read in this page and never sent anywhere. */
import { recognise } from "../../lib/browser/recognise.ts";
import type { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import type { DroppedFile } from "./dropped-files.ts";
import { navigate, route } from "./navigation.ts";
import { notifyError } from "./notices.ts";
import { openOtherModel } from "./other-model.ts";
import { addGolden, addReport } from "./goldens.ts";
import { probes } from "./lens.ts";
import { takeFolders } from "./probe-classes.ts";
import { droppedProbe } from "./probing.ts";
import { openFeatures, openFeaturesFile } from "./search.ts";
import { addThumbnails } from "./thumbnails.ts";
import { addTrace } from "./traces.ts";
import { addImages } from "./tray.ts";

export async function openFiles(files: readonly DroppedFile[]): Promise<void> {
  try {
    const config = files.find(({ path }) => /(^|\/)open_clip_config\.json$/.test(path));
    if (config !== undefined) {
      await takeModel(config.path.slice(0, -"open_clip_config.json".length), files);
      return;
    }
  } catch (error) {
    notifyError(error);
    return;
  }
  const images: DroppedFile[] = [];
  for (const dropped of files) {
    try {
      if (await takeFile(dropped.file)) images.push(dropped);
    } catch (error) {
      notifyError(error);
    }
  }
  await takeImages(images);
}

async function takeModel(folder: string, files: readonly DroppedFile[]): Promise<void> {
  const inside = files.filter(({ path }) => path.startsWith(folder));
  const name = folder.split("/").at(-2) ?? "model";
  if (route.value.view === "parity") navigate({ compared: "dropped", tap: null });
  else navigate({ view: "compare", sideA: "current", sideB: "model", tap: null });
  await openOtherModel(name, new Map(inside.map(({ path, file }) => [path.slice(folder.length), file])));
}

/** Images join the tray; while a features file is searched, they are its thumbnails. */
async function takeImages(images: readonly DroppedFile[]): Promise<void> {
  if (images.length === 0) return;
  const isInFolders = images.some(({ path }) => path.includes("/"));
  if (route.value.view === "search" && openFeatures.value?.isTray === false) addThumbnails(images);
  else if (isInFolders) {
    takeFolders(images);
    navigate({ view: "probe" });
  } else await addImages(images.map(({ file }) => file));
}

/** Opens a file, or returns true if it is an image. */
async function takeFile(file: File): Promise<boolean> {
  const found = await recognise(file.name, file);
  switch (found.kind) {
    case "image":
      return true;
    case "trace":
      addTrace(file.name, found.store);
      compareWith(file.name);
      return false;
    case "golden":
      takeGolden(file, found.store);
      return false;
    case "report":
      addReport(file.name, found.json);
      navigate({ view: "parity", golden: `file:${file.name}`, tap: null });
      return false;
    case "features":
      navigate({ view: "search", searchBy: "text" });
      await openFeaturesFile(file.name, file);
      return false;
    case "probe":
      await takeProbe(file);
      return false;
  }
}

/** The lens shows probes beside its lines; elsewhere, a probe classifies the tray's images. */
async function takeProbe(file: File): Promise<void> {
  const probe = { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
  if (route.value.view === "lens") {
    probes.value = [...probes.value.filter(({ name }) => name !== probe.name), probe];
    return;
  }
  droppedProbe.value = probe;
  navigate({ view: "probe" });
}

/** A golden of whole values is a trace too; it is compared with one where traces are. */
function takeGolden(file: File, store: SafetensorsFile): void {
  addGolden(file, store);
  const isWhole = store.metadata["samples"] === undefined;
  if (isWhole) addTrace(file.name, store);
  if (isWhole && route.value.view === "compare") compareWith(file.name);
  else navigate({ view: "parity", golden: `file:${file.name}`, tap: null });
}

/** Shows a file as B, or as A if B is another file. */
function compareWith(name: string): void {
  const side = `file:${name}`;
  const { view, sideA, sideB } = route.value;
  if (view === "compare" && sideA === "current" && sideB.startsWith("file:") && sideB !== side) {
    navigate({ sideA: side, tap: null });
  } else navigate({ view: "compare", sideB: side, tap: null });
}
