const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true });

/**
 * Pieces and their scores, by id. All characters stand in one array: a quarter of a million strings would weigh more
 * than the model's file.
 */
export class Vocabulary {
  #units: Uint16Array;
  #ends: Uint32Array;
  #scores: Float64Array;
  #size = 0;

  /** Both are only first guesses of the number of pieces and of their UTF-16 units together. */
  constructor(pieces: number, units: number) {
    this.#units = new Uint16Array(units);
    this.#ends = new Uint32Array(pieces);
    this.#scores = new Float64Array(pieces);
  }

  get size(): number {
    return this.#size;
  }

  /** All pieces' UTF-16 units, one piece after the other. */
  get units(): Uint16Array {
    return this.#units;
  }

  /** Where the piece begins in `units`. */
  start(id: number): number {
    return id === 0 ? 0 : (this.#ends[id - 1] ?? 0);
  }

  /** Where the next one begins. */
  end(id: number): number {
    return this.#ends[id] ?? 0;
  }

  /** The logarithm of the piece's probability. */
  score(id: number): number {
    return this.#scores[id] ?? 0;
  }

  piece(id: number): string {
    return utf16.decode(this.#units.subarray(this.start(id), this.end(id)));
  }

  add(piece: string, score: number): void {
    const end = this.#reserve(piece.length);
    for (let index = 0; index < piece.length; index++) this.#units[end + index] = piece.charCodeAt(index);
    this.#close(end + piece.length, score);
  }

  /**
   * Adds the piece whose UTF-8 stands in `bytes[start, end)`: no string is made.
   *
   * @returns false, and nothing is added, where that is not UTF-8
   */
  addUtf8(bytes: Uint8Array, start: number, end: number, score: number): boolean {
    let unit = this.#reserve(end - start);
    const units = this.#units;
    for (let index = start; index < end;) {
      const lead = bytes[index++] ?? 0;
      const length =
        lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
      if (length === -1 || index + length > end) return false;
      let codePoint = length === 0 ? lead : lead & (0x3f >> length);
      for (let rest = length; rest > 0; rest--) {
        const byte = bytes[index++] ?? 0;
        if ((byte & 0xc0) !== 0x80) return false;
        codePoint = (codePoint << 6) | (byte & 0x3f);
      }
      const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
      const isOverlong = (length === 2 && codePoint < 0x800) || (length === 3 && codePoint < 0x10000);
      if (isSurrogate || isOverlong || codePoint > 0x10ffff) return false;
      if (codePoint < 0x10000) {
        units[unit++] = codePoint;
      } else {
        units[unit++] = 0xd7c0 + (codePoint >> 10);
        units[unit++] = 0xdc00 + (codePoint & 0x3ff);
      }
    }
    this.#close(unit, score);
    return true;
  }

  /** Makes room for one more piece; returns where it begins. */
  #reserve(units: number): number {
    const start = this.start(this.#size);
    if (start + units > this.#units.length) {
      const grown = new Uint16Array(Math.max(2 * this.#units.length, start + units));
      grown.set(this.#units);
      this.#units = grown;
    }
    if (this.#size === this.#ends.length) {
      const ends = new Uint32Array(2 * this.#size + 16);
      ends.set(this.#ends);
      this.#ends = ends;
      const scores = new Float64Array(ends.length);
      scores.set(this.#scores);
      this.#scores = scores;
    }
    return start;
  }

  #close(end: number, score: number): void {
    this.#ends[this.#size] = end;
    this.#scores[this.#size] = score;
    this.#size++;
  }
}
