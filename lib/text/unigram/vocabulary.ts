const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true });

/**
 * Pieces and their scores, by id.
 *
 * One array holds the characters of all pieces: a quarter of a million strings would take more memory than the model's
 * file.
 */
export class Vocabulary {
  #units: Uint16Array;
  #ends: Uint32Array;
  #scores: Float64Array;
  #size = 0;

  /**
   * The vocabulary grows beyond these initial capacities.
   *
   * @param pieces number of pieces
   * @param units number of UTF-16 units of all pieces together
   */
  constructor(pieces: number, units: number) {
    this.#units = new Uint16Array(units);
    this.#ends = new Uint32Array(pieces);
    this.#scores = new Float64Array(pieces);
  }

  get size(): number {
    return this.#size;
  }

  /** The UTF-16 units of all pieces, concatenated. */
  get units(): Uint16Array {
    return this.#units;
  }

  /** The index in `units` of the piece's first unit. */
  start(id: number): number {
    return id === 0 ? 0 : (this.#ends[id - 1] ?? 0);
  }

  /** The index in `units` after the piece's last unit. */
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
   * Adds a piece given in UTF-8, without making a string.
   *
   * @returns false if the bytes are not UTF-8; then nothing is added
   */
  addUtf8(bytes: Uint8Array, score: number): boolean {
    let unit = this.#reserve(bytes.length);
    const units = this.#units;
    for (let index = 0; index < bytes.length;) {
      const lead = bytes[index++] ?? 0;
      const length =
        lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
      if (length === -1 || index + length > bytes.length) return false;
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

  /** Adds the pieces of another vocabulary from id `first` on. */
  addFrom(other: Vocabulary, first: number): void {
    const from = other.start(first);
    const to = this.#reserve(other.start(other.size) - from, other.size - first);
    this.#units.set(other.units.subarray(from, other.start(other.size)), to);
    for (let id = first; id < other.size; id++) this.#close(to + other.end(id) - from, other.score(id));
  }

  /** Grows the arrays if necessary, and returns the index of the next piece's first unit. */
  #reserve(units: number, pieces = 1): number {
    const start = this.start(this.#size);
    if (start + units > this.#units.length) {
      const grown = new Uint16Array(Math.max(2 * this.#units.length, start + units));
      grown.set(this.#units);
      this.#units = grown;
    }
    if (this.#size + pieces > this.#ends.length) {
      const ends = new Uint32Array(2 * this.#size + pieces + 15);
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
