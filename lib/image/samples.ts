/** The samples of a decoded image. */
export type Samples = Uint8Array | Uint8ClampedArray | Uint16Array | Int32Array | Float32Array;
