/** Messages at the bottom of the page. */
import { dismiss, notices } from "../state/notices.ts";
import { Icon } from "./icon.tsx";

export function Notices() {
  return (
    <ul class="notices" role="status" aria-label="Messages">
      {notices.value.map(({ id, kind, text }) => (
        <li key={id} class={kind}>
          <span>{text}</span>
          <button
            type="button"
            class="plain"
            aria-label="Dismiss"
            onClick={() => {
              dismiss(id);
            }}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
