/**
 * What the environment says of the Hugging Face Hub, in the variables that Python's huggingface_hub reads.
 *
 * @source https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { getHFHubCachePath, HUB_URL } from "@huggingface/hub";
import { InputError } from "../../errors/input-error.ts";
import { unreadable } from "../files/file-source.ts";

export interface HubSettings {
  /** HF_ENDPOINT, without a slash behind. */
  readonly endpoint: string;
  /** HF_TOKEN, else what the token file holds. */
  readonly token: string | undefined;
  /** The folder of models: HF_HUB_CACHE, else `hub` below HF_HOME, else `~/.cache/huggingface/hub`. */
  readonly cache: string;
}

/** @throws InputError if HF_ENDPOINT is no address, HF_HUB_OFFLINE forbids to ask it, or the token cannot be read */
export async function hubSettings(): Promise<HubSettings> {
  const { env } = process;
  if (/^(1|on|yes|true)$/i.test(env["HF_HUB_OFFLINE"] ?? "")) {
    throw new InputError(
      `HF_HUB_OFFLINE=${env["HF_HUB_OFFLINE"]!}: nothing is downloaded; unset it, or use --model hf:REPOSITORY, which only reads the cache`,
    );
  }
  const endpoint = (env["HF_ENDPOINT"] || HUB_URL).replace(/\/+$/, "");
  if (!/^https?:/.test(endpoint) || !URL.canParse(endpoint)) {
    throw new InputError(`HF_ENDPOINT=${endpoint}: expected an address such as ${HUB_URL}`);
  }
  return { endpoint, token: env["HF_TOKEN"]?.trim() || (await storedToken()), cache: getHFHubCachePath() };
}

/** Where `hf auth login` puts the token. */
async function storedToken(): Promise<string | undefined> {
  const { env } = process;
  const home = env["HF_HOME"] ?? join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "huggingface");
  const path = env["HF_TOKEN_PATH"] ?? join(home, "token");
  try {
    return (await readFile(path, "utf8")).trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unreadable(path, error);
  }
}
