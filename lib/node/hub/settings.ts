/**
 * Settings of the Hugging Face Hub from the environment variables of Python's huggingface_hub.
 *
 * Source: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { getHFHubCachePath, HUB_URL } from "@huggingface/hub";
import { InputError } from "../../errors/input-error.ts";
import { unreadable } from "../files/file-source.ts";

export interface HubSettings {
  /** HF_ENDPOINT, without a trailing slash. */
  readonly endpoint: string;
  /** HF_TOKEN, or the content of the token file. */
  readonly token: string | undefined;
  /** The folder of models: HF_HUB_CACHE, or `hub` in HF_HOME, or `~/.cache/huggingface/hub`. */
  readonly cache: string;
}

/** @throws InputError if HF_ENDPOINT is not a URL, HF_HUB_OFFLINE is set, or the token file cannot be read */
export async function hubSettings(): Promise<HubSettings> {
  const { env } = process;
  if (/^(1|on|yes|true)$/i.test(env["HF_HUB_OFFLINE"] ?? "")) {
    throw new InputError(
      `HF_HUB_OFFLINE=${env["HF_HUB_OFFLINE"]!}: downloads are disabled; unset it, or use --model hf:REPOSITORY, which only reads the cache`,
    );
  }
  const endpoint = (env["HF_ENDPOINT"] || HUB_URL).replace(/\/+$/, "");
  if (!/^https?:/.test(endpoint) || !URL.canParse(endpoint)) {
    throw new InputError(`HF_ENDPOINT=${endpoint}: expected a URL such as ${HUB_URL}`);
  }
  return { endpoint, token: env["HF_TOKEN"]?.trim() || (await storedToken()), cache: getHFHubCachePath() };
}

/** Reads the token that `hf auth login` stored. */
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
