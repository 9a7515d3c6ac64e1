/** The results as cards: the image, its similarity, and what the server shows of its metadata. */
import { useState } from "preact/hooks";
import { thumbnailUrl, type Result } from "./api.ts";

interface ResultsProps {
  readonly index: string;
  readonly results: readonly Result[];
  readonly onSimilar: (id: number) => void;
}

export function Results({ index, results, onSimilar }: ResultsProps) {
  return (
    <ol class="results">
      {results.map((result) => (
        <Card key={`${index}/${result.id}`} index={index} result={result} onSimilar={onSimilar} />
      ))}
    </ol>
  );
}

interface CardProps {
  readonly index: string;
  readonly result: Result;
  readonly onSimilar: (id: number) => void;
}

function Card({ index, result, onSimilar }: CardProps) {
  const [hasImage, setHasImage] = useState(true);
  const { id, similarity } = result;
  const caption = text(result["caption"]);
  const path = text(result["image_path"]);
  const url = webAddress(text(result["url"]));
  return (
    <li class="card" data-id={id}>
      <button
        type="button"
        class={result["NSFW"] === "NSFW" ? "image blurred" : "image"}
        title="Search for similar images"
        aria-label={`Search for images similar to ${caption ?? path ?? `row ${id}`}`}
        onClick={() => {
          onSimilar(id);
        }}
      >
        {hasImage ? (
          <img
            loading="lazy"
            decoding="async"
            src={thumbnailUrl(index, id)}
            alt={caption ?? ""}
            onError={() => {
              setHasImage(false);
            }}
          />
        ) : (
          <span class="no-image">no image here</span>
        )}
      </button>
      <p class="caption">{caption ?? path ?? `row ${id}`}</p>
      <p class="details">
        <span title="cosine similarity">{similarity.toFixed(4)}</span>
        {url !== null && (
          <a href={url} target="_blank" rel="noreferrer noopener">
            source
          </a>
        )}
      </p>
    </li>
  );
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** Metadata may hold any address: those that run scripts are not links. */
function webAddress(address: string | null): string | null {
  if (address === null || !URL.canParse(address)) return null;
  return ["http:", "https:"].includes(new URL(address).protocol) ? address : null;
}
