/** Buttons that choose a file or a folder, for those who cannot drop them. */
import { useRef } from "preact/hooks";
import { takeFiles } from "../state/take-files.ts";
import { withPath } from "../state/dropped-files.ts";

interface Props {
  readonly text: string;
  /** Names the button's input for specs. */
  readonly name: string;
  /** Endings of file names, or a folder. */
  readonly accept: `.${string}` | "folder";
}

export function OpenFiles({ text, name, accept }: Props) {
  const input = useRef<HTMLInputElement | null>(null);
  const isFolder = accept === "folder";
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        {text}
      </button>
      <input
        ref={(element) => {
          input.current = element;
          if (element) element.webkitdirectory = isFolder;
        }}
        type="file"
        {...(!isFolder && { accept })}
        multiple
        data-choose={name}
        hidden
        onChange={(event) => {
          const { files } = event.currentTarget;
          void takeFiles([...(files ?? [])].map(withPath));
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}
