/** Search by a text or an image in the features of many images. */
import { useEffect, useState } from "preact/hooks";
import { CopyButton } from "../parts/copy-button.tsx";
import { count, fixed, percent } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { OpenFiles } from "../parts/open-files.tsx";
import { SaveCanvas } from "../parts/save-png.tsx";
import { SaveTable } from "../parts/save-table.tsx";
import { ScatterMap } from "../parts/scatter-map.tsx";
import { Segmented } from "../parts/segmented.tsx";
import { ViewHead } from "../parts/view-head.tsx";
import { adjust, navigate, route } from "../state/navigation.ts";
import {
  closeFeatures,
  featuresMap,
  isFresh,
  mostResults,
  openFeatures,
  query,
  results,
  searched,
  searchProblem,
} from "../state/search.ts";
import { quoted } from "../state/snippet.ts";
import { thumbnailOf } from "../state/thumbnails.ts";
import { currentImage, trayImages } from "../state/tray.ts";
import type { Found } from "../worker/data-protocol.ts";

export function SearchView() {
  return (
    <section class="view search-view" aria-labelledby="view-title">
      <ViewHead
        title="Search"
        about={
          <>
            Images ranked by the cosine of their embeddings to a text in any language, or to an image (
            <a href="https://arxiv.org/abs/2103.00020" target="_blank" rel="noreferrer">
              Radford et al. 2021
            </a>
            ). Every row is compared; nothing is approximated. A cosine orders images; its size is not a
            probability.
          </>
        }
      />
      <Query />
      <Source />
      {searchProblem.value !== null && (
        <p class="inline-problem" role="status">
          {searchProblem.value}{" "}
          <button type="button" class="link" onClick={closeFeatures}>
            Search the tray’s images
          </button>
        </p>
      )}
      <Results />
      <Plane />
    </section>
  );
}

const kinds = [
  ["text", "Text"],
  ["image", "Current image"],
] as const;

function Query() {
  const { searchBy } = route.value;
  const [draft, setDraft] = useState(query.value);
  useEffect(() => {
    if (draft.trim() !== query.value) setDraft(query.value);
  }, [query.value]);
  return (
    <form
      class="search-query"
      onSubmit={(event) => {
        event.preventDefault();
        navigate({ searchBy: "text", query: draft.trim() });
      }}
    >
      <input
        type="text"
        aria-label="Text to search for"
        placeholder="A text in any language"
        value={draft}
        onInput={(event) => {
          const { value } = event.currentTarget;
          setDraft(value);
          if (value.trim() !== "") adjust({ searchBy: "text", query: value.trim() });
        }}
      />
      <Segmented
        label="Search by"
        options={kinds}
        value={searchBy === "row" ? ("" as "text") : searchBy}
        onChange={(value) => {
          navigate({ searchBy: value });
        }}
      />
    </form>
  );
}

function Source() {
  const file = openFeatures.value;
  const { searchBy, row } = route.value;
  return (
    <div class="search-source">
      <p role="status">
        {file !== null && (
          <>
            <b>{file.isTray ? "The tray’s images" : file.name}</b>: {count(file.rows)} rows of {file.width}{" "}
            numbers
            {!file.isKept && ", read from the file for each search"}
            {results.value !== null && isFresh.value && (
              <span class="muted" data-milliseconds={results.value.milliseconds}>
                {" "}
                · {results.value.milliseconds.toFixed(results.value.milliseconds < 10 ? 1 : 0)} ms
              </span>
            )}
            {!file.isKept && searched.value !== null && ` · ${count(searched.value)} rows read`}
          </>
        )}
        {searchBy === "row" && (
          <span class="badge">
            like row {row}
            <button
              type="button"
              class="plain"
              aria-label="Search by text again"
              onClick={() => {
                navigate({ searchBy: "text" });
              }}
            >
              <Icon name="close" />
            </button>
          </span>
        )}
      </p>
      <div class="actions">
        <OpenFiles text="Open a features file …" name="features" accept=".safetensors" />
        {file?.isTray === false && (
          <>
            <OpenFiles text="Open its images …" name="thumbnails" accept="folder" />
            <button type="button" onClick={closeFeatures}>
              Search the tray’s images
            </button>
          </>
        )}
      </div>
    </div>
  );
}

function Results() {
  const found = results.value;
  const file = openFeatures.value;
  if (file === null || found === null) {
    return searchProblem.value === null ? <div class="search-wait hatched" /> : null;
  }
  const command =
    route.value.searchBy === "image"
      ? `--image ${quoted(currentImage.value?.name ?? "image.png")}`
      : quoted(query.value);
  return (
    <div class={isFresh.value ? "" : "searching"} data-found={isFresh.value ? found.found.length : undefined}>
      <ol class="search-results">
        {found.found.map((one, i) => (
          <Result found={one} rank={i + 1} />
        ))}
      </ol>
      <div class="actions compare-actions">
        <SaveTable
          name="search"
          head={["rank", "similarity", "path"]}
          rows={() => found.found.map(({ similarity, path }, i) => [i + 1, similarity, path])}
        />
        {!file.isTray && (
          <CopyButton
            text={`node bin/clipscope.js search ${command} --features ${quoted(file.name)} --top ${mostResults}`}
            label="Copy command"
          />
        )}
      </div>
      <p class="caption">
        A result becomes the query when it is chosen. Features files are written by{" "}
        <code>clipscope embed --images</code>; drop the images too to see them.
      </p>
    </div>
  );
}

function imageOf(path: string): string | null {
  if (openFeatures.value?.isTray === true)
    return trayImages.value.find(({ name }) => name === path)?.url ?? null;
  return thumbnailOf(path);
}

function Result({
  found: { row, path, similarity },
  rank,
}: {
  readonly found: Found;
  readonly rank: number;
}) {
  const url = imageOf(path);
  return (
    <li>
      <button
        type="button"
        title={path}
        data-path={path}
        aria-label={`${rank}: ${path}, cosine ${fixed(similarity, 3)}; search for what is similar`}
        onClick={() => {
          navigate({ searchBy: "row", row });
        }}
      >
        {url === null ? (
          <span class="no-image" aria-hidden="true" />
        ) : (
          <img src={url} alt="" loading="lazy" />
        )}
        <span class="cosine" title={`${similarity}`}>
          {fixed(similarity, 3)}
        </span>
        <span class="path">{path.split(/[/\\]/).slice(-2).join("/")}</span>
      </button>
    </li>
  );
}

function Plane() {
  const map = featuresMap.value;
  const file = openFeatures.value;
  if (file === null || file.rows < 2) return null;
  if (map?.opened !== file.opened) return <div class="search-map hatched" />;
  const { rows, paths, places, explained } = map;
  const pointOf = new Map(rows.map((row, point) => [row, point]));
  const marked = (results.value?.found ?? []).flatMap(({ row }) => pointOf.get(row) ?? []);
  return (
    <figure class="search-map">
      <figcaption>
        <h2>
          Map <small>the two directions of the largest variance (principal components)</small>
        </h2>
      </figcaption>
      <div data-mapped={rows.length}>
        <ScatterMap
          places={places}
          nameOf={(point) => paths[point]!}
          marked={marked}
          title={`${rows.length} embeddings in a plane`}
          onPoint={(point) => {
            navigate({ searchBy: "row", row: rows[point]! });
          }}
        />
      </div>
      <div class="actions">
        <SaveCanvas name="map" selector=".scatter-map" />
        <SaveTable
          name="map"
          head={["row", "x", "y", "path"]}
          rows={() => rows.map((row, i) => [row, places[2 * i]!, places[2 * i + 1]!, paths[i]!])}
        />
      </div>
      <p class="caption">
        The axes hold {percent(explained[0] ?? 0)} and {percent(explained[1] ?? 0)} of the variance; what is
        apart here is apart, what is near may differ in other directions.
        {rows.length < file.rows && ` ${count(rows.length)} of ${count(file.rows)} rows, evenly spaced.`}{" "}
        Numbers are ranks of the results.
      </p>
    </figure>
  );
}
