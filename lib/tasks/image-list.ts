/** Lists of images, of which a list in memory is only one form. */

/** The part of an array's interface that lists of a million images have too. Arrays are such lists. */
export interface ImageList<T> extends Iterable<T> {
  readonly length: number;
  /** Undefined outside the list. */
  at(index: number): T | undefined;
  /** The items from `start` on. */
  slice(start: number): ImageList<T>;
}
