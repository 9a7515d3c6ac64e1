/** Where an image's bytes are: a whole file, or a part of one (a member of a tar). */

export type ImageSource = string | FilePart;

/** A range of bytes in a file. */
export interface FilePart {
  /** The name in messages and lists. */
  readonly name: string;
  readonly file: string;
  readonly offset: number;
  readonly size: number;
}

/** The path of a file, or the name of a part. */
export function nameOf(source: ImageSource): string {
  return typeof source === "string" ? source : source.name;
}

/** The file that holds the image. */
export function fileOf(source: ImageSource): string {
  return typeof source === "string" ? source : source.file;
}
