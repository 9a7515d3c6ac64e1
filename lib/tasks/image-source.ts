/** Where an image's bytes are. */
import type { Box } from "../image/crop.ts";

/** A file's path, or a part of a file. */
export type StoredImage = string | FilePart;

/** An image in a file, or a rectangle of it. */
export type ImageSource = StoredImage | CroppedImage;

/** An image as a program passes it: where it is stored, its encoded bytes, or these with a name. */
export type ImageInput = ImageSource | ImageContent | NamedImage;

/**
 * The bytes of an encoded image (a JPEG, PNG, … file). A stream is read once: a web `ReadableStream`, Node's `Readable`,
 * or any other iterable of bytes.
 */
export type ImageContent =
  Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** Encoded bytes with a name, which results and errors show. */
export interface NamedImage {
  readonly name: string;
  readonly content: ImageContent;
}

/** A range of bytes in a file, such as a member of a tar. */
export interface FilePart {
  /** The name in messages and lists. */
  readonly name: string;
  readonly file: string;
  readonly offset: number;
  readonly size: number;
}

/** A rectangle of an image in a file. It is cut out after the image has become RGB, and before it is resized. */
export interface CroppedImage {
  readonly file: string;
  readonly box: Box;
}

/** The path of a file, or the name of a part: "TAR:PATH", "FILE#LEFT,TOP,RIGHT,BOTTOM". */
export function nameOf(source: ImageSource): string {
  if (typeof source === "string") return source;
  return "box" in source ? `${source.file}#${source.box.join(",")}` : source.name;
}

/** The file that holds the image. */
export function fileOf(source: ImageSource): string {
  return typeof source === "string" ? source : source.file;
}

/** Characters of a `data:` URL in its name. */
const shownOfUrl = 40;

/**
 * The name of an image in results and errors: its path, the name that was given, or that of a `File`; else its place
 * in the list ("images[3]").
 */
export function inputName(image: ImageInput, index: number): string {
  if (typeof image === "string") {
    return isDataUrl(image) && image.length > shownOfUrl ? `${image.slice(0, shownOfUrl)}…` : image;
  }
  if (typeof image === "object" && (image as object | null) !== null && "box" in image) return nameOf(image);
  const named = image as { readonly name?: unknown } | null;
  return typeof named?.name === "string" && named.name !== "" ? named.name : `images[${index}]`;
}

/** Whether a string is a `data:` URL, and not a path. */
export function isDataUrl(text: string): boolean {
  return /^data:/i.test(text);
}
