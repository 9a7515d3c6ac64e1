/** What the bundler resolves. */
declare module "*?url" {
  const url: string;
  export default url;
}
declare module "*.css";
declare module "virtual:tap-docs" {
  export const tapDocs: readonly import("../lib/trace/tap-docs.ts").TapDoc[];
}
declare module "virtual:samples" {
  export interface SampleCaptions {
    /** The file's name in the folder of samples. */
    readonly file: string;
    /** By language code. */
    readonly captions: Readonly<Record<string, string>>;
  }
  export const samples: readonly SampleCaptions[];
}
declare module "virtual:version" {
  export const version: string;
}
