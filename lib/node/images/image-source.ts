/** Where an image's bytes are: in a file of its own, or in a part of one (a member of a tar). */

export type ImageSource = string | FilePart;

export interface FilePart {
  /** What to call it in messages and lists. */
  readonly name: string;
  readonly file: string;
  readonly offset: number;
  readonly size: number;
}

export function nameOf(source: ImageSource): string {
  return typeof source === "string" ? source : source.name;
}

/** The file that holds it. */
export function fileOf(source: ImageSource): string {
  return typeof source === "string" ? source : source.file;
}
