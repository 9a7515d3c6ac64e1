/** Sets environment variables for each spec of the describe block that calls this, and restores them afterwards. */
export function environment(variables: () => Readonly<Record<string, string | undefined>>): void {
  let before: NodeJS.ProcessEnv;
  beforeEach(() => {
    before = { ...process.env };
    for (const [name, value] of Object.entries(variables())) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });
  afterEach(() => {
    for (const name of Object.keys(process.env))
      if (!(name in before)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  });
}

/** Unsets the developer's own variables for the hub and proxies. */
export const clearedHubVariables: Readonly<Record<string, undefined>> = Object.fromEntries(
  [
    "HF_ENDPOINT",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "HF_TOKEN",
    "HF_TOKEN_PATH",
    "HUGGINGFACE_HUB_CACHE",
    "XDG_CACHE_HOME",
    ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
  ].map((name) => [name, undefined]),
);
