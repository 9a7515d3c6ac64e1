/** What the library needs of a browser: files over HTTP and from the user, decoders, a backend. */
export { BlobSource } from "./blob-source.ts";
export { browserCodecs, type CodecFiles } from "./codecs.ts";
export { fetchBytes } from "./fetch-bytes.ts";
export { HttpSource } from "./http-source.ts";
export { blobFolder, httpFolder, type ModelFolder } from "./model-folder.ts";
export { findModelFiles, type ModelFiles } from "./model-files.ts";
export { readModel } from "./read-model.ts";
export { recognise, type Recognised } from "./recognise.ts";
export { wasmLoader, type WasmFiles } from "./wasm-backend.ts";
