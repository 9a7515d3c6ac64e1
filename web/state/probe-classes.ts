/** The classes that a probe is fitted on: groups of the tray's images, or dropped folders. */
import { computed, signal } from "@preact/signals";
import type { DroppedFile } from "./dropped-files.ts";
import { compareCodePoints } from "../../lib/features/code-points.ts";
import { navigate, route } from "./navigation.ts";
import { notify } from "./notices.ts";
import type { ImageClass } from "./route.ts";
import { bytesOf, currentImage, trayImages } from "./tray.ts";

/** An image of a class. */
export interface ClassImage {
  /** As in the address, or of a dropped file. */
  readonly key: string;
  readonly name: string;
  readonly url: string;
  readonly bytes: () => Promise<Uint8Array>;
}

export interface ProbeClass {
  readonly name: string;
  readonly images: readonly ClassImage[];
}

/** More images are refused: each is run through the network. */
export const mostClassImages = 2000;

/** Classes of dropped folders; null while the tray's images are used. They are not part of the address. */
export const folderClasses = signal<readonly ProbeClass[] | null>(null);

const defaultClasses = computed<readonly ImageClass[]>(() => {
  const samples = trayImages.value.filter(({ isSample }) => isSample);
  const isSeveral = (name: string): boolean => /^(two|three|four) /.test(name);
  return [
    { name: "one shape", images: samples.filter(({ name }) => !isSeveral(name)).map(({ key }) => key) },
    { name: "several shapes", images: samples.filter(({ name }) => isSeveral(name)).map(({ key }) => key) },
  ];
});

export const trayClasses = computed(() => route.value.classes ?? defaultClasses.value);

export const probeClasses = computed<readonly ProbeClass[]>(
  () =>
    folderClasses.value ??
    trayClasses.value.map(({ name, images }) => ({
      name,
      images: images.flatMap((key) => {
        const image = trayImages.value.find((one) => one.key === key);
        return image === undefined
          ? []
          : [{ key, name: image.name, url: image.url, bytes: () => bytesOf(image) }];
      }),
    })),
);

/** Changes the class at `index`; a null name removes it. */
export function changeClass(index: number, change: Partial<ImageClass> | null): void {
  const classes = trayClasses.value.flatMap((one, i) =>
    i !== index ? [one] : change === null ? [] : [{ ...one, ...change }],
  );
  navigate({ classes: classes.length === 0 ? null : classes });
}

export function addClass(): void {
  const names = new Set(trayClasses.value.map(({ name }) => name));
  let number = trayClasses.value.length + 1;
  while (names.has(`class ${number}`)) number++;
  navigate({ classes: [...trayClasses.value, { name: `class ${number}`, images: [] }] });
}

/** Puts the current image into a class, and takes it out of the others. */
export function classifyCurrent(index: number): void {
  const key = currentImage.value?.key;
  if (key === undefined) return;
  const classes = trayClasses.value.map(({ name, images }, i) => {
    const others = images.filter((one) => one !== key);
    return { name, images: i === index ? [...others, key] : others };
  });
  navigate({ classes });
}

let dropped = 0;

/** Each folder that holds images is a class; classes of equal names are one. */
export function takeFolders(files: readonly DroppedFile[]): void {
  if (files.length > mostClassImages) {
    notify(
      "warning",
      `Expected at most ${mostClassImages} images, found ${files.length}; the first ones are used.`,
    );
  }
  const classes = new Map<string, ClassImage[]>();
  // In the command line's order, on which the folds depend.
  const sorted = files.toSorted((a, b) => compareCodePoints(a.path, b.path));
  for (const { path, file } of sorted.slice(0, mostClassImages)) {
    const name = path.split("/").at(-2) ?? "images";
    const image = {
      key: `dropped:${dropped++}`,
      name: path,
      url: URL.createObjectURL(file),
      bytes: async () => new Uint8Array(await file.arrayBuffer()),
    };
    classes.set(name, [...(classes.get(name) ?? []), image]);
  }
  const named = [...classes].sort(([a], [b]) => compareCodePoints(a, b));
  folderClasses.value = named.map(([name, images]) => ({ name, images }));
}
