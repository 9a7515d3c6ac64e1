/** What the library needs of a browser: files over HTTP and from the user, decoders, a backend. */
export { BlobSource } from "./blob-source.ts";
export { browserCodecs, type CodecFiles } from "./codecs.ts";
export { fetchBytes } from "./fetch-bytes.ts";
export { fetchModel, type ModelFiles } from "./fetch-model.ts";
export { HttpSource } from "./http-source.ts";
export { wasmLoader, type WasmFiles } from "./wasm-backend.ts";
