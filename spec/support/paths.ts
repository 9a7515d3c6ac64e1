import { fileURLToPath } from "node:url";

/** The package's root folder: specs run from dist/spec/support, three levels down. */
export const packageRoot = fileURLToPath(new URL("../../../", import.meta.url));

/** Absolute path of a committed fixture. A missing fixture must fail the spec that needs it. */
export function fixture(path: string): string {
  return `${packageRoot}fixtures/${path}`;
}
