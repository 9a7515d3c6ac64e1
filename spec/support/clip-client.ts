/**
 * What clip-retrieval's Python client sends: its fields in their order, with its defaults.
 *
 * Source: clip_retrieval/clip_client.py, ClipClient (commit b055335).
 */
export interface ClipClientQuery {
  readonly indice_name: string;
  readonly text?: string;
  readonly image?: string;
  readonly image_url?: string;
  readonly embedding_input?: readonly number[];
}

export interface ClipClientOptions {
  readonly deduplicate?: boolean;
  readonly use_safety_model?: boolean;
  readonly use_violence_detector?: boolean;
  readonly use_mclip?: boolean;
  readonly aesthetic_score?: number;
  readonly aesthetic_weight?: number;
  readonly modality?: "image" | "text";
  readonly num_images?: number;
}

/** The constructor's arguments that ask for no filter. */
export const withoutFilters: ClipClientOptions = {
  use_safety_model: false,
  use_violence_detector: false,
  aesthetic_weight: 0,
};

/** The document as Python's json.dumps writes it, with a space after each colon and comma. */
export function clipClientBody(query: ClipClientQuery, options: ClipClientOptions = {}): string {
  const { num_images = 40 } = options;
  const fields = {
    text: query.text ?? null,
    image: query.image ?? null,
    image_url: query.image_url ?? null,
    embedding_input: query.embedding_input ?? null,
    deduplicate: options.deduplicate ?? true,
    use_safety_model: options.use_safety_model ?? true,
    use_violence_detector: options.use_violence_detector ?? true,
    indice_name: query.indice_name,
    use_mclip: options.use_mclip ?? false,
    aesthetic_score: options.aesthetic_score ?? 9,
    aesthetic_weight: options.aesthetic_weight ?? 0.5,
    modality: options.modality ?? "image",
    num_images,
    num_result_ids: num_images,
  };
  const entries = Object.entries(fields).map(([key, value]) => `"${key}": ${pythonJson(value)}`);
  return `{${entries.join(", ")}}`;
}

/** json.dumps escapes what is not ASCII. */
function pythonJson(value: unknown): string {
  const items = Array.isArray(value) ? `[${value.map(pythonJson).join(", ")}]` : JSON.stringify(value);
  return items.replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Sends a query as the client does: with `requests`, whose body has no content type. */
export async function clipClient(
  url: string,
  query: ClipClientQuery,
  options: ClipClientOptions = {},
): Promise<Response> {
  return fetch(`${url}knn-service`, {
    method: "POST",
    // fetch sets a content type for texts, not for bytes.
    body: new TextEncoder().encode(clipClientBody(query, options)),
    headers: { "User-Agent": "python-requests/2.32.3", Accept: "*/*" },
  });
}
