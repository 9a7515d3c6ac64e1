/** The tray: images and texts to choose from; one of each is current. */
import { computed, signal } from "@preact/signals";
import { samples } from "virtual:samples";
import { fetchBytes } from "../../lib/browser/fetch-bytes.ts";
import { notify, notifyError } from "./notices.ts";
import { adjust, navigate, route } from "./navigation.ts";
import { allOwnImages, forgetOwnImage, keepOwnImage, shaOf } from "./own-images.ts";

export interface TrayImage {
  /** As in the address: "s:NAME" or "sha:HEX". */
  readonly key: string;
  readonly name: string;
  readonly url: string;
  readonly isSample: boolean;
}

export interface TrayText {
  readonly text: string;
  /** A language code; null if it is not known. */
  readonly language: string | null;
}

export const mostOwnImages = 8;
export const mostTexts = 16;

/** In bytes; larger files are refused before they are read. */
const largestFile = 64 * 2 ** 20;

const sampleImages: readonly TrayImage[] = samples.map(({ file }) => {
  const name = file.replace(/\.\w+$/, "");
  return { key: `s:${name}`, name: name.replaceAll("-", " "), url: `demo/samples/${file}`, isSample: true };
});

export const ownImages = signal<readonly TrayImage[]>([]);
const ownBlobs = new Map<string, Blob>();

export const trayImages = computed(() => [...ownImages.value, ...sampleImages]);

const languageOf = new Map(
  samples.flatMap(({ captions }) =>
    Object.entries(captions).map(([language, text]) => [text, language] as const),
  ),
);

function trayText(text: string): TrayText {
  return { text, language: languageOf.get(text) ?? scriptLanguage(text) };
}

/** Only where the script leaves no choice. */
function scriptLanguage(text: string): string | null {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return "ja";
  if (/\p{Script=Hangul}/u.test(text)) return "ko";
  if (/\p{Script=Han}/u.test(text)) return "zh";
  return null;
}

const first = samples[0]!.captions;
const initialTexts = [first["en"]!, first["de"]!, first["ja"]!, samples[2]!.captions["en"]!];

export const trayTexts = signal<readonly TrayText[]>(initialTexts.map(trayText));

/** Whether the user's images have been read from the browser's database. */
const isRestored = signal(false);

/** Null while the address names an image that is not here. */
export const currentImage = computed<TrayImage | null>(() => {
  const { image } = route.value;
  if (image === null) return sampleImages[0]!;
  return trayImages.value.find(({ key }) => key === image) ?? null;
});

/** The image and the text that are pinned as B; null if there is none, or the image is not here. */
export const pinnedImage = computed<TrayImage | null>(
  () => trayImages.value.find(({ key }) => key === route.value.imageB) ?? null,
);
export const pinnedText = computed(() => route.value.textB);

/** Pins the current image as B, or unpins it if it is pinned. */
export function togglePinnedImage(): void {
  const { key = null } = currentImage.value ?? {};
  navigate({ imageB: route.value.imageB === key ? null : key });
}

/** Pins a text as B, or unpins it if it is pinned. */
export function togglePinnedText(text: string): void {
  navigate({ textB: route.value.textB === text ? null : text });
}

export const isImageMissing = computed(() => isRestored.value && currentImage.value === null);

export const currentText = computed<TrayText>(() => {
  const { text } = route.value;
  return text === null ? trayTexts.value[0]! : trayText(text);
});

/** The captions of the current image, if it is a sample. */
export const currentCaptions = computed(() => {
  const { url } = currentImage.value ?? { url: "" };
  return samples.find(({ file }) => url.endsWith(`/${file}`))?.captions ?? null;
});

export async function bytesOf({ key, url }: TrayImage): Promise<Uint8Array> {
  const blob = ownBlobs.get(key);
  if (blob !== undefined) return new Uint8Array(await blob.arrayBuffer());
  return fetchBytes(url);
}

/** Restores the user's images, and the text of the address. */
export async function restoreTray(): Promise<void> {
  const { text } = route.value;
  if (text !== null) addText(text);
  try {
    for (const { sha, name, blob } of await allOwnImages()) show(sha, name, blob);
  } catch {
    // Without a database, images last until the page is closed.
  }
  isRestored.value = true;
}

function show(sha: string, name: string, blob: Blob): void {
  const key = `sha:${sha}`;
  if (ownBlobs.has(key)) return;
  ownBlobs.set(key, blob);
  ownImages.value = [...ownImages.value, { key, name, url: URL.createObjectURL(blob), isSample: false }];
}

/** Adds files that the user dropped, pasted or chose, and selects the last one. */
export async function addImages(files: readonly File[]): Promise<void> {
  for (const file of files) {
    if (file.size > largestFile) {
      notify(
        "warning",
        `${file.name}: expected a file of at most 64 MB, found ${Math.round(file.size / 2 ** 20)} MB.`,
      );
      continue;
    }
    if (ownImages.value.length >= mostOwnImages) {
      notify("warning", `The tray holds ${mostOwnImages} images; remove one first.`);
      return;
    }
    try {
      const sha = await shaOf(file);
      show(sha, file.name, file);
      navigate({ image: `sha:${sha}` });
      await keepOwnImage({ sha, name: file.name, blob: file }).catch(() => undefined);
    } catch (error) {
      notifyError(error);
    }
  }
}

export function removeImage(key: string): void {
  const image = ownImages.value.find((one) => one.key === key);
  if (image === undefined) return;
  if (route.value.image === key) adjust({ image: null });
  if (route.value.imageB === key) adjust({ imageB: null });
  ownImages.value = ownImages.value.filter((one) => one !== image);
  ownBlobs.delete(key);
  URL.revokeObjectURL(image.url);
  void forgetOwnImage(key.slice("sha:".length)).catch(() => undefined);
}

/** Adds a text unless it is there, and returns whether it is there now. */
export function addText(text: string): boolean {
  if (text.trim() === "") {
    notify("warning", "The text is empty; type one first.");
    return false;
  }
  if (trayTexts.value.some((one) => one.text === text)) return true;
  if (trayTexts.value.length >= mostTexts) {
    notify("warning", `The tray holds ${mostTexts} texts; remove one first.`);
    return false;
  }
  trayTexts.value = [...trayTexts.value, trayText(text)];
  return true;
}

export function removeText(text: string): void {
  if (trayTexts.value.length === 1) return;
  trayTexts.value = trayTexts.value.filter((one) => one.text !== text);
  if (route.value.text === text) adjust({ text: null });
}

/** Replaces the texts by the current sample's captions in all languages. */
export function addCaptions(): void {
  const captions = currentCaptions.value;
  if (captions === null) return;
  trayTexts.value = Object.values(captions).map(trayText);
  navigate({ text: null });
}

/** Selects the image `step` places further. */
export function stepImage(step: number): void {
  const images = trayImages.value;
  const at = images.findIndex(({ key }) => key === currentImage.value?.key);
  navigate({ image: images[(at + step + images.length) % images.length]!.key });
}
