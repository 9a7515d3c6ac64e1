/** The texts, with their languages. */
import { useState } from "preact/hooks";
import { Icon } from "../parts/icon.tsx";
import { navigate } from "../state/navigation.ts";
import {
  addCaptions,
  addText,
  currentCaptions,
  currentText,
  pinnedText,
  removeText,
  togglePinnedText,
  trayTexts,
  type TrayText,
} from "../state/tray.ts";

export function TextTray() {
  const [draft, setDraft] = useState("");
  return (
    <section aria-labelledby="texts-title">
      <h2 id="texts-title">Text</h2>
      <form
        class="new-text"
        onSubmit={(event) => {
          event.preventDefault();
          const text = draft.trim();
          if (!addText(text)) return;
          navigate({ text });
          setDraft("");
        }}
      >
        <input
          type="text"
          aria-label="New text"
          placeholder="A text in any language"
          value={draft}
          onInput={(event) => {
            setDraft(event.currentTarget.value);
          }}
        />
        <button type="submit" aria-label="Add the text">
          <Icon name="plus" />
        </button>
      </form>
      <ul class="texts">
        {trayTexts.value.map((item) => (
          <Item item={item} isCurrent={item.text === currentText.value.text} />
        ))}
      </ul>
      {currentCaptions.value !== null && (
        <button type="button" class="wide" onClick={addCaptions}>
          The same in seven languages
        </button>
      )}
    </section>
  );
}

function Item({
  item: { text, language },
  isCurrent,
}: {
  readonly item: TrayText;
  readonly isCurrent: boolean;
}) {
  return (
    <li class={isCurrent ? "current" : ""}>
      <button
        type="button"
        class="text"
        aria-pressed={isCurrent}
        onClick={() => {
          navigate({ text });
        }}
      >
        <span class="language">{language ?? "··"}</span>
        <span lang={language ?? undefined}>{text}</span>
      </button>
      <button
        type="button"
        class="slot"
        aria-pressed={pinnedText.value === text}
        aria-label={`Pin as B: ${text}`}
        title="Pin as B (Shift+B pins the current text)"
        onClick={() => {
          togglePinnedText(text);
        }}
      >
        B
      </button>
      {trayTexts.value.length > 1 && (
        <button
          type="button"
          class="remove"
          aria-label={`Remove ${text}`}
          onClick={() => {
            removeText(text);
          }}
        >
          <Icon name="close" />
        </button>
      )}
    </li>
  );
}
