/** What is searched for: a text, or an image from the user's disk. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Query } from "./api.ts";

interface QueryFormProps {
  readonly onQuery: (query: Query) => void;
  /** Fields of the search besides what is searched for. */
  readonly children: ComponentChildren;
}

export function QueryForm({ onQuery, children }: QueryFormProps) {
  const [draft, setDraft] = useState("");
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (draft.trim() !== "") onQuery({ text: draft.trim() });
      }}
    >
      <input
        type="search"
        aria-label="Text to search for"
        placeholder="a dog on the beach, 海辺の犬, …"
        value={draft}
        onInput={({ currentTarget }) => {
          setDraft(currentTarget.value);
        }}
      />
      <button type="submit">Search</button>
      <label class="file">
        Image…
        <input
          type="file"
          accept="image/*"
          onChange={({ currentTarget }) => {
            const [file] = currentTarget.files ?? [];
            if (file !== undefined) onQuery({ file });
            // The same file may be chosen again.
            currentTarget.value = "";
          }}
        />
      </label>
      <div class="options">{children}</div>
    </form>
  );
}
