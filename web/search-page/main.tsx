/** The page of `clipscope serve`: search an index by a text, an image or a row. */
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Side } from "../../lib/serve/index-service.ts";
import { readServer, search, type Query, type Result, type Search, type ServerInfo } from "./api.ts";
import { QueryForm } from "./query-form.tsx";
import { Results } from "./results.tsx";

/** Results that are asked for at first, and each time more are wanted. */
const pageSize = 40;

interface Answer {
  /** What is searched; null before the first query. */
  readonly search: Search | null;
  readonly results: readonly Result[];
  readonly problem: string | null;
  readonly isBusy: boolean;
}

function Page({ server }: { readonly server: ServerInfo }) {
  const [indexName, setIndex] = useState(server.indices[0]!.name);
  const [side, setSide] = useState<Side>("image");
  const [where, setWhere] = useState("");
  const [wanted, setWanted] = useState<Search | null>(null);
  const answer = useSearch(wanted);
  const index = server.indices.find(({ name }) => name === indexName)!;
  const searched = index.sides.includes(side) ? side : index.sides[0]!;
  const conditions = index.columns.map(({ name }) => name).filter((name) => name !== "image_path");
  const ask = (query: Query): void => {
    setWanted({ index: index.name, side: searched, query, where: where.trim(), count: pageSize });
  };
  return (
    <>
      <header>
        <h1>clipscope search</h1>
        <p>
          {index.rows.toLocaleString("en")} rows, {server.model}
        </p>
      </header>
      <QueryForm onQuery={ask}>
        {server.indices.length > 1 && (
          <Choice
            label="Index"
            value={index.name}
            values={server.indices.map(({ name }) => name)}
            onChange={setIndex}
          />
        )}
        {index.sides.length > 1 && (
          <Choice
            label="Search in"
            value={searched}
            values={index.sides}
            names={{ image: "images", text: "captions" }}
            onChange={setSide}
          />
        )}
        {conditions.length > 0 && (
          <label>
            Only where{" "}
            <input
              value={where}
              placeholder={`${conditions[0]!} = '…'`}
              onInput={({ currentTarget }) => {
                setWhere(currentTarget.value);
              }}
            />
          </label>
        )}
      </QueryForm>
      <main aria-busy={answer.isBusy}>
        {answer.problem !== null && (
          <p class="problem" role="alert">
            {answer.problem}
          </p>
        )}
        {answer.search !== null && <Summary answer={answer} />}
        <Results
          index={answer.search?.index ?? index.name}
          results={answer.results}
          onSimilar={(id) => {
            ask({ id });
          }}
        />
        {wanted !== null && answer.results.length === wanted.count && (
          <button
            type="button"
            class="more"
            onClick={() => {
              setWanted({ ...wanted, count: wanted.count + pageSize });
            }}
          >
            More
          </button>
        )}
      </main>
    </>
  );
}

/** Searches when the query changes, and aborts the search before. */
function useSearch(wanted: Search | null): Answer {
  const [answer, setAnswer] = useState<Answer>({ search: null, results: [], problem: null, isBusy: false });
  useEffect(() => {
    if (wanted === null) return;
    const stop = new AbortController();
    setAnswer((before) => ({ ...before, problem: null, isBusy: true }));
    search(wanted, stop.signal).then(
      (results) => {
        setAnswer({ search: wanted, results, problem: null, isBusy: false });
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        setAnswer({ search: null, results: [], problem: (error as Error).message, isBusy: false });
      },
    );
    return () => {
      stop.abort();
    };
  }, [wanted]);
  return answer;
}

function Summary({ answer: { search, results } }: { readonly answer: Answer }) {
  const { query } = search!;
  const of = "text" in query ? `“${query.text}”` : "file" in query ? query.file.name : `row ${query.id}`;
  return (
    <p class="summary" role="status">
      {results.length === 0 ? "No rows" : `The ${results.length} rows most similar`} to {of}
    </p>
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly values: readonly Value[];
  readonly names?: Readonly<Record<string, string>>;
  readonly onChange: (value: Value) => void;
}

function Choice<Value extends string>({ label, value, values, names = {}, onChange }: ChoiceProps<Value>) {
  return (
    <label>
      {label}{" "}
      <select
        value={value}
        onChange={({ currentTarget }) => {
          onChange(currentTarget.value as Value);
        }}
      >
        {values.map((one) => (
          <option key={one} value={one}>
            {names[one] ?? one}
          </option>
        ))}
      </select>
    </label>
  );
}

const root = document.querySelector("#page")!;
readServer().then(
  (server) => {
    render(<Page server={server} />, root);
  },
  (error: unknown) => {
    render(<p class="problem">{(error as Error).message}</p>, root);
  },
);
